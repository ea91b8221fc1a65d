import { setTimeout as sleep } from 'node:timers/promises';
import { Findings } from '../harness/findings.ts';
import { Load } from '../harness/load.ts';
import { openServerStage, type ServerStage } from '../harness/stage.ts';
import { until } from '../harness/until.ts';
import type { Row } from '../row.ts';

const timeoutMs = 3000;

/** A node that is there but does not answer, for so long. */
interface Wedge {
  readonly id: string;
  readonly fault: string;
  readonly wedgeMs: number;
  /** Resolves once the first node stands still. */
  begin(stage: ServerStage): Promise<void>;
  end(stage: ServerStage): Promise<void>;
}

function wedgedRow({ id, fault, wedgeMs, begin, end }: Wedge): Row {
  return {
    id,
    fault,
    expected: 'calls end by their deadline, the other nodes take the traffic, the node is back by itself',
    async run() {
      const findings = new Findings();
      await using stage = await openServerStage();
      const { client } = stage;
      const options = { attemptTimeoutMs: 500, timeoutMs, idempotent: true };
      const call = (number: number) => client.call('chaos', 'Chaos.Work', { number, ms: 5 }, options);
      const before = await answersPerSecond(call);
      await using load = new Load(32, call, 1_000_000);
      await sleep(500);
      await begin(stage);
      await sleep(wedgeMs / 2);
      const fromMs = performance.now();
      await sleep(1000);
      const during = load.done.filter(({ beganMs, error }) => beganMs > fromMs && error === undefined).length;
      await end(stage);
      const endedMs = performance.now();
      const isBack = () =>
        load.done.some(({ beganMs, answer }) => beganMs > endedMs && (answer as { node?: string })?.node === 'n0');
      const backMs = await until(isBack, 35_000);
      await load.stop();
      findings.must(
        load.failed.length === 0,
        `${load.done.length} calls, ${load.failed.length} failed (${load.codes})`,
      );
      findings.must(load.longestMs <= timeoutMs + 500, `the longest took ${load.longestMs} ms of ${timeoutMs}`);
      findings.must(during > 0.2 * before, `${before} calls/s before, ${during} while it stood still`);
      findings.must(backMs !== undefined, `answered again ${backMs} ms after it went on`);
      return findings.outcome;
    },
  };
}

async function answersPerSecond(call: (number: number) => Promise<unknown>): Promise<number> {
  await using load = new Load(32, call);
  await sleep(1000);
  const count = load.done.length;
  await load.stop();
  return count;
}

export const wedgedRows: readonly Row[] = [
  wedgedRow({
    id: 'service-wedged',
    fault: 'the event loop of one of 3 nodes blocked for 10 s',
    wedgeMs: 10_000,
    async begin({ plugins, client, fleet }) {
      let address: string | undefined;
      const isFound = async () => {
        const [record] = await plugins.registry.getService('chaos');
        address = record?.nodes.find(({ id }) => id === 'chaos-n0')?.address;
        return address !== undefined;
      };
      if ((await until(isFound, 5000)) === undefined) throw new Error('the node is not registered');
      // It answers when it is over.
      void client.call('chaos', 'Chaos.Block', { ms: 10_000 }, { address, timeoutMs: 20_000 }).catch(() => {});
      await fleet.node(0).heard('blocked');
    },
    async end({ fleet }) {
      await fleet.node(0).heard('unblocked', 20_000);
    },
  }),
  wedgedRow({
    id: 'service-stopped',
    fault: 'one of 3 nodes under SIGSTOP for 6 s',
    wedgeMs: 6000,
    async begin({ fleet }) {
      fleet.node(0).signal('SIGSTOP');
    },
    async end({ fleet }) {
      await sleep(2000);
      fleet.node(0).signal('SIGCONT');
    },
  }),
];
