import { inspect } from 'node:util';
import { natsBroker } from '@ts-micro/broker-nats';
import type { Logger } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient, createService } from '@ts-micro/service';
import { type NatsServer, startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { drawMalformed, marker } from '@ts-micro-tools/malformed';
import { expect, test } from 'vitest';

const count = 3000;
const seed = 1;

test(`${count} malformed payloads (seed ${seed}) on every subject that is listened to harm nobody, and nothing of them is logged`, async () => {
  await using server = await startNatsServer();
  const { logger, leaks } = watchedLog();
  const open = (name: string) => {
    const options = { servers: server.url, name, logger };
    return { transport: natsTransport(options), broker: natsBroker(options), registry: natsRegistry(options) };
  };
  const theirs = open('service');
  const ours = open('client');
  const service = createService({ name: 'chaos', version: '1', ...theirs, logger, stopTimeoutMs: 2000 });
  service.handle('Chaos.Quick', (request) => request);
  service.handleStream('Chaos.Echo', async (stream) => {
    for await (const value of stream) await stream.send(value);
  });
  service.subscribe('chaos.event', () => {});
  await service.start();
  const client = createClient({ ...ours, logger });
  const watcher = await ours.registry.watch();
  const call = () => client.call('chaos', 'Chaos.Quick', { [marker]: 1 }, { timeoutMs: 5000 });

  await using attacker = await connectNats({ servers: server.url, name: 'attacker' });
  const samples: Uint8Array[] = [];
  const tap = attacker.subscribe('>', { onMessage: ({ data }) => void (data.length > 0 && samples.push(data)) });
  await tap.confirm();
  await call();
  await ours.registry.getService('chaos');
  await client.publish('chaos.event', { [marker]: true });
  await attacker.flush();
  await expect.poll(() => samples.length).toBeGreaterThan(5);
  tap.unsubscribe();

  const subjects = await subjectsOf(server);
  expect(subjects.length).toBeGreaterThanOrEqual(7);
  for (const [index, { payload, reply, headers, status }] of drawMalformed(samples, { count, seed }).entries()) {
    const subject = subjects[index % subjects.length] as string;
    attacker.publish(subject.replaceAll('*', 'x'), payload, { reply, headers, status });
    await attacker.room();
  }
  await attacker.flush();

  expect(await call()).toEqual({ [marker]: 1 });
  expect(service.health()).toMatchObject({ live: true, ready: true });
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(marker in {}).toBe(false);
  await watcher.close();
  await client.close();
  await service.stop();
  for (const { transport, broker, registry } of [ours, theirs]) {
    await Promise.all([transport.close(), broker.close(), registry.close()]);
  }
  expect(leaks).toEqual([]);
});

/** Keeps what it is told of a payload, whose every text has the marker. */
function watchedLog(): { readonly logger: Logger; readonly leaks: readonly string[] } {
  const leaks: string[] = [];
  const log = (message: string, fields?: unknown) => {
    const line = inspect([message, fields], { depth: 8 });
    // The subjects that were made here are no secret.
    if (line.replaceAll(`reply.${marker}`, '').includes(marker)) leaks.push(line);
  };
  return { logger: { debug: log, info: log, warn: log, error: log }, leaks };
}

/** What anybody but the attacker listens to, as the server tells it. */
async function subjectsOf(server: NatsServer): Promise<readonly string[]> {
  const { connections } = (await server.monitor('connz?subs=1')) as {
    connections: { name: string; subscriptions_list?: string[] }[];
  };
  const lists = connections.filter(({ name }) => name !== 'attacker').map((each) => each.subscriptions_list ?? []);
  return [...new Set(lists.flat())];
}
