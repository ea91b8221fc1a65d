import { MicroError } from '@ts-micro/core';
import { createClient } from '@ts-micro/service';
import { startChaosProxy } from '@ts-micro/testkit/nats';
import { Findings } from '../../harness/findings.ts';
import { connectPlugins } from '../../harness/plugins.ts';
import { openServerStage } from '../../harness/stage.ts';
import { until } from '../../harness/until.ts';
import type { Row } from '../../row.ts';

const limitMs = 15_000;

export const halfOpen: Row = {
  id: 'half-open',
  fault: "a link that swallows all bytes both ways, and is still open to TCP, with a connection's defaults",
  expected: `found within ${limitMs / 1000} s; a call ends by its deadline; back once the network is`,
  async run() {
    const findings = new Findings();
    await using stage = await openServerStage({ nodes: 1 });
    await using proxy = await startChaosProxy({ target: stage.server.address });
    await using plugins = await connectPlugins(proxy.address, 'half-open');
    await using client = createClient({ ...plugins });
    await client.call('chaos', 'Chaos.Quick', {});
    proxy.halfOpen();
    const beganMs = performance.now();
    const call = client.call('chaos', 'Chaos.Quick', {}, { timeoutMs: 2000 }).then(
      () => 'an answer',
      (error) => `${MicroError.is(error) ? error.code : error} after ${Math.round(performance.now() - beganMs)} ms`,
    );
    const foundMs = await until(() => plugins.connection.state.status !== 'connected', limitMs + 5000);
    findings.must(foundMs !== undefined && foundMs <= limitMs, `found after ${foundMs} ms`);
    findings.must((await call).startsWith('timeout after 20'), `a call of 2000 ms: ${await call}`);
    proxy.heal();
    const backMs = await until(
      () =>
        client.call('chaos', 'Chaos.Quick', {}, { timeoutMs: 1000 }).then(
          () => true,
          () => false,
        ),
      15_000,
    );
    findings.must(backMs !== undefined, `answers again ${backMs} ms after the network is back`);
    return findings.outcome;
  },
};
