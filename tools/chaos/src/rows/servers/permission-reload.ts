import { createClient, createService } from '@ts-micro/service';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { Findings } from '../../harness/findings.ts';
import { Parts } from '../../harness/parts.ts';
import { connectPlugins } from '../../harness/plugins.ts';
import { until } from '../../harness/until.ts';
import type { Row } from '../../row.ts';

const users = (denied: string) => `authorization { users: [
  { user: caller, password: c }
  { user: service, password: s, permissions: { subscribe: { deny: [${denied}] } } }
] }`;
const allowed = users('"nothing.else"');

export const permissionReload: Row = {
  id: 'permission-reload',
  fault:
    'a service loses the right to its address, or to a topic, by a reload of the server, three times each, and gets it back',
  expected: 'each time it is not ready and not found, with the reason, and serves again once it may',
  async run() {
    const findings = new Findings();
    await using parts = new Parts();
    const server = parts.use(await startNatsServer({ config: allowed }));
    const as = async (user: string, password: string) =>
      parts.use(await connectPlugins(server.address, user, { connect: { user, password } }));
    const its = await as('service', 's');
    const callers = await as('caller', 'c');
    const service = createService({ name: 'shop', registerIntervalMs: 1000, registerTtlMs: 3000, ...its });
    service.handle('Shop.Buy', () => ({ ok: true }));
    service.subscribe('news.a', () => {});
    await service.start();
    const address = service.node?.address ?? '';
    const client = parts.use(createClient({ ...callers }));
    await client.call('shop', 'Shop.Buy', {});
    for (const denied of [address, 'news.>', address, 'news.>', address, 'news.>']) {
      await server.reload({ config: users(`"${denied}"`) });
      const lostMs = await until(() => !service.health().ready, 15_000);
      const reasons = JSON.stringify(service.health().reasons);
      const goneMs = await until(async () => (await callers.registry.getService('shop')).length === 0, 15_000);
      await server.reload({ config: allowed });
      const backMs = await until(() => service.health().ready && service.health().registered, 30_000);
      const servesMs = await until(
        () =>
          client.call('shop', 'Shop.Buy', {}).then(
            () => true,
            () => false,
          ),
        10_000,
      );
      findings.must(
        [lostMs, goneMs, backMs, servesMs].every((ms) => ms !== undefined),
        `not ready after ${lostMs} ms (${reasons}), not found after ${goneMs} ms, back after ${backMs} ms`,
      );
    }
    await service.stop();
    return findings.outcome;
  },
};
