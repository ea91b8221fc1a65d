import type { ServiceRecord } from '@ts-micro/core';
import { askNodes } from '../fleet/ask-nodes.ts';
import type { Session } from '../fleet/session.ts';
import type { Finding } from './finding.ts';

const mostNodes = 50;
/** Stats give whole seconds. */
const tolerableMs = 2500;

/** Compares the clocks of nodes with this machine's, by the `timestamp` of `Debug.Stats`. */
export async function compareClocks(
  session: Session,
  records: readonly ServiceRecord[],
  timeoutMs: number,
): Promise<Finding> {
  const about = 'clocks';
  const some = records.slice(0, mostNodes);
  const answers = await askNodes(session, some, 'Debug.Stats', timeoutMs);
  const now = Date.now();
  const clocks = answers.flatMap(({ node, answer }) => {
    const seconds = Number(answer?.timestamp ?? Number.NaN);
    return Number.isFinite(seconds) ? [{ id: node.id, offMs: seconds * 1000 - now }] : [];
  });
  if (clocks.length === 0) return { about, verdict: 'skipped', words: 'no node tells its time' };
  const wrong = clocks.filter(({ offMs }) => Math.abs(offMs) > tolerableMs);
  const [worst] = wrong.sort((one, other) => Math.abs(other.offMs) - Math.abs(one.offMs));
  if (worst === undefined)
    return {
      about,
      verdict: 'good',
      words: `${nodesText(clocks.length)} within ${tolerableMs / 1000} s of this machine`,
    };
  const off = `${Math.abs(Math.round(worst.offMs / 1000))} s ${worst.offMs > 0 ? 'ahead of' : 'behind'} this machine`;
  return {
    about,
    verdict: 'doubtful',
    words: `${wrong.length} of ${nodesText(clocks.length)} are off; ${worst.id} is ${off}`,
    advice: 'let NTP set the clocks: TLS and JWT credentials depend on them',
  };
}

function nodesText(count: number): string {
  return count === 1 ? '1 node' : `${count} nodes`;
}
