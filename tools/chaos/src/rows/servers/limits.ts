import { MicroError } from '@ts-micro/core';
import { createClient, createService } from '@ts-micro/service';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { Findings } from '../../harness/findings.ts';
import { Parts } from '../../harness/parts.ts';
import { connectPlugins } from '../../harness/plugins.ts';
import { until } from '../../harness/until.ts';
import type { Row } from '../../row.ts';

export const limits: Row = {
  id: 'limits',
  fault: 'a server with max_subscriptions 2 and max_connections 3, whose limits are raised later',
  expected: "who runs into a limit fails at once with the server's words, and gets in once there is room",
  async run() {
    const findings = new Findings();
    await using parts = new Parts();
    const server = parts.use(await startNatsServer({ config: 'max_subscriptions: 2, max_connections: 3' }));
    const plugins = parts.use(await connectPlugins(server.address, 'service'));
    const service = createService({ name: 'shop', ...plugins });
    service.handle('Shop.Buy', () => ({ ok: true }));
    const beganMs = performance.now();
    const refused = await service.start().then(
      () => undefined,
      (error: unknown) => error,
    );
    const tookMs = Math.round(performance.now() - beganMs);
    findings.must(
      MicroError.is(refused) && /maximum subscriptions/i.test(wordsOf(refused)) && tookMs < 5000,
      `start fails after ${tookMs} ms: ${refused}`,
    );
    const callers = parts.use(await connectPlugins(server.address, 'caller'));
    const third = parts.use(await connectPlugins(server.address, 'third'));
    const fourth = await connectPlugins(server.address, 'fourth').then(
      () => undefined,
      (error: unknown) => error,
    );
    findings.must(/maximum connections/i.test(wordsOf(fourth)), `the fourth connection fails: ${fourth}`);
    await third[Symbol.asyncDispose]();

    await server.restart({ config: 'max_subscriptions: 1000, max_connections: 1000' });
    await until(() => plugins.connection.state.status === 'connected', 10_000);
    const startedMs = await until(
      () =>
        service.start().then(
          () => true,
          () => false,
        ),
      15_000,
      200,
    );
    findings.must(startedMs !== undefined, `starts ${startedMs} ms after the limits were raised`);
    const client = parts.use(createClient({ ...callers }));
    const answer = await client.call('shop', 'Shop.Buy', {}).catch(String);
    findings.must(JSON.stringify(answer) === '{"ok":true}', `and answers ${JSON.stringify(answer)}`);
    await service.stop();
    return findings.outcome;
  },
};

/** Its words, and those of its causes. */
function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ${wordsOf(error.cause)}` : '';
}
