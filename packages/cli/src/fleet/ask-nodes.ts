import { MicroError, type NodeRecord, type ServiceRecord } from '@ts-micro/core';
import type { Session } from './session.ts';

/** What one node said to a question. */
export interface NodeAnswer {
  readonly service: string;
  readonly version: string;
  readonly node: NodeRecord;
  readonly elapsedMs: number;
  /** What it answered; `undefined` where it did not. */
  readonly answer: Readonly<Record<string, unknown>> | undefined;
  /** Why there is no answer. */
  readonly error: MicroError | undefined;
}

const atOnce = 16;

/** Asks `endpoint` of every node of these records by itself, each for at most `timeoutMs`. Never rejects. */
export async function askNodes(
  { client, signal }: Session,
  records: readonly ServiceRecord[],
  endpoint: string,
  timeoutMs: number,
): Promise<readonly NodeAnswer[]> {
  const questions = records.flatMap((record) => [...record.nodes].sort(byId).map((node) => ({ record, node })));
  const answers: NodeAnswer[] = new Array(questions.length);
  const waiting = [...questions.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, { record, node }] = next;
      const began = performance.now();
      const where = (candidate: { readonly node: NodeRecord }) => candidate.node.id === node.id;
      const options = { where, retries: 0, timeoutMs, signal };
      const [answer, error] = await client.call<Record<string, unknown>>(record.name, endpoint, {}, options).then(
        (value) => [value, undefined] as const,
        (thrown) => [undefined, MicroError.from(thrown, 'internal', endpoint)] as const,
      );
      const { name: service, version } = record;
      answers[at] = { service, version, node, elapsedMs: performance.now() - began, answer, error };
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return answers;
}

function byId(one: NodeRecord, other: NodeRecord): number {
  return one.id < other.id ? -1 : 1;
}

/** True where the node is there and does not serve the endpoint, as Go Micro's from v5 on do not. */
export function isNotServed({ error }: NodeAnswer): boolean {
  if (error === undefined) return false;
  // Go's words for it; a node that is gone is `not_found` too.
  const isRefused = error.remote !== undefined || /can't find (service|method)/.test(error.message);
  return isRefused && (error.code === 'not_found' || error.remote?.code === 404);
}
