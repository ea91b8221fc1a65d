import { Findings } from '../harness/findings.ts';
import { Load } from '../harness/load.ts';
import { openServerStage } from '../harness/stage.ts';
import { until } from '../harness/until.ts';
import type { Row } from '../row.ts';

export const throwingLogger: Row = {
  id: 'throwing-logger',
  fault: 'a service whose logger throws at every line; handlers that fail; NATS restarted',
  expected: 'every call is answered, failures as such; it is registered and found again after the restart',
  async run() {
    const findings = new Findings();
    await using stage = await openServerStage({ nodes: 1, throwsInLogger: true, leaseMs: 3000, maxConcurrency: 16 });
    const { client, server, fleet, plugins } = stage;
    const fails = await Promise.allSettled(
      Array.from({ length: 200 }, (_, number) => client.call('chaos', 'Chaos.Fail', { number })),
    );
    const words = fails.filter((fail) => fail.status === 'rejected' && String(fail.reason).includes('it fails')).length;
    findings.must(words === 200, `${words} of 200 failures told`);
    const options = { idempotent: true, retries: 10, timeoutMs: 10_000, attemptTimeoutMs: 1000 };
    await using load = new Load(16, (number) => client.call('chaos', 'Chaos.Work', { number, ms: 1 }, options));
    await until(() => load.done.length > 200, 10_000);
    await server.restart();
    const before = load.done.length;
    await until(() => load.done.length > before + 200, 20_000);
    await load.stop();
    findings.must(load.failed.length === 0, `${load.done.length} calls, ${load.failed.length} failed (${load.codes})`);
    const foundMs = await until(async () => (await plugins.registry.getService('chaos')).length === 1, 10_000);
    findings.must(foundMs !== undefined, `found ${foundMs} ms after`);
    const { health } = await fleet.node(0).ask('facts');
    findings.must((health as { ready: boolean }).ready, `health ${JSON.stringify(health)}`);
    findings.must(!fleet.node(0).hasExited && fleet.node(0).errors === '', 'it lives, and wrote nothing to stderr');
    return findings.outcome;
  },
};
