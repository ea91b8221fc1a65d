import { MicroError } from '@ts-micro/core';
import { createClient, createService, type Service } from '@ts-micro/service';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { Findings } from '../harness/findings.ts';
import { Parts } from '../harness/parts.ts';
import { connectPlugins } from '../harness/plugins.ts';
import type { Row } from '../row.ts';

const calls = 500;

export const relayedErrors: Row = {
  id: 'relayed-errors',
  fault: `a handler that relays what it gets from a service that refuses, is gone, fails or is late; ${calls} calls`,
  expected: 'each call that is not idempotent runs the handler once, and none says that it is safe to try again',
  async run() {
    const findings = new Findings();
    await using parts = new Parts();
    const server = parts.use(await startNatsServer());
    const open = async (name: string) => parts.use(await connectPlugins(server.address, name));
    const behind = await open('behind');
    const back = createService({ name: 'back', maxConcurrency: 1, maxBacklog: 0, ...behind });
    back.handle('Back.Slow', () => new Promise((resolve) => setTimeout(resolve, 300, {})));
    back.handle('Back.Fail', () => {
      throw new MicroError('unavailable', 'it has words of a refusal', { retrySafe: true });
    });
    await back.start();
    let runs = 0;
    const fronts: Service[] = [];
    for (const id of ['a', 'b', 'c']) {
      const plugins = await open(id);
      const relay = parts.use(createClient({ ...plugins, timeoutMs: 500 }));
      const front = createService({ name: 'front', id, ...plugins });
      front.handle('Front.Relay', async ({ kind }: { kind: string }) => {
        runs++;
        return relay.call(kind === 'gone' ? 'nobody' : 'back', kind === 'fail' ? 'Back.Fail' : 'Back.Slow', {});
      });
      await front.start();
      fronts.push(front);
    }
    const client = parts.use(createClient({ ...(await open('client')), timeoutMs: 30_000, retries: 5 }));
    const kinds = ['slow', 'gone', 'fail'];
    const outcomes: unknown[] = [];
    for (let number = 0; number < calls; number += 50) {
      const batch = Array.from({ length: 50 }, (_, index) =>
        client.call('front', 'Front.Relay', { kind: kinds[(number + index) % 3] }).catch((error: unknown) => error),
      );
      outcomes.push(...(await Promise.all(batch)));
    }
    const errors = outcomes.filter((outcome) => outcome instanceof Error);
    findings.must(runs === calls, `${calls} calls ran the handler ${runs} times`);
    findings.must(errors.length > calls / 2, `${errors.length} were answered with an error`);
    const safe = errors.filter((error) => MicroError.is(error) && error.retrySafe).length;
    findings.must(safe === 0, `${safe} of them say that it is safe to try again`);
    const other = errors.filter((error) => !MicroError.is(error, 'remote')).length;
    findings.must(other === 0, `${other} are no answer of the handler`);
    await Promise.all([...fronts, back].map((service) => service.stop()));
    return findings.outcome;
  },
};
