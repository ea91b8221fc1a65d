import { randomUUID } from 'node:crypto';
import { natsBroker } from '@ts-micro/broker-nats';
import type { Logger } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient, createService } from '@ts-micro/service';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { expect, test } from 'vitest';

// Each side may do what it needs and nothing else, and a service may answer only the callers that it is told of. The
// roles apart: examples/least-privilege.
const registry = '"micro.nats.query", "micro.nats.watch", "micro.registry.nats.query", "micro.registry.nats.watch"';
const config = `authorization { users: [
  { user: greeter, password: g, permissions: {
    subscribe: ["svc.greeter.>", "_INBOX_greeter.>", "greeter.say", ${registry}],
    publish: ["_INBOX_caller.>", ${registry}]
  } },
  { user: caller, password: c, permissions: {
    subscribe: ["_INBOX_caller.>", "micro.nats.watch", "micro.registry.nats.watch"],
    publish: ["svc.greeter.>", "_INBOX_greeter.>", "greeter.say", ${registry}]
  } }
] }`;

async function plugins(servers: string, user: string, lines: string[]) {
  const log = (message: string, fields?: unknown) => void lines.push(`${user}: ${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug() {}, info() {}, warn: log, error: log };
  const inboxPrefix = `_INBOX_${user}`;
  const connection = await connectNats({ servers, user, password: user.slice(0, 1), inboxPrefix, logger });
  return {
    transport: natsTransport({ connection, addressPrefix: 'svc.greeter', logger }),
    broker: natsBroker({ connection, logger }),
    registry: natsRegistry({ connection, logger }),
    logger,
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

test('calls, streams and events work between accounts with the least privileges, and nothing is refused', async () => {
  await using server = await startNatsServer({ config });
  const lines: string[] = [];
  await using serverSide = await plugins(server.address, 'greeter', lines);
  await using clientSide = await plugins(server.address, 'caller', lines);
  await using service = createService({ name: 'greeter', ...serverSide });
  const said: string[] = [];
  service.handle('Greeter.Hello', ({ name }: { name: string }) => ({ msg: `Hello ${name}` }));
  service.handleStream('Greeter.Chat', async (stream) => {
    for await (const value of stream) await stream.send(value);
  });
  service.subscribe('greeter.say', ({ text }: { text: string }) => void said.push(text));
  await service.start();
  await using client = createClient(clientSide);
  expect(await client.call('greeter', 'Greeter.Hello', { name: 'John' })).toEqual({ msg: 'Hello John' });
  const stream = await client.stream('greeter', 'Greeter.Chat');
  await stream.send({ a: 1 });
  expect(await stream.receive()).toEqual({ a: 1 });
  await stream.close();
  const text = randomUUID();
  await client.publish('greeter.say', { text });
  await expect.poll(() => said).toEqual([text]);
  await service.stop();
  expect(lines).toEqual([]);
});

test('what an account may not do is refused by name', async () => {
  await using server = await startNatsServer({ config });
  const lines: string[] = [];
  await using clientSide = await plugins(server.address, 'caller', lines);
  await using service = createService({ name: 'greeter', ...clientSide });
  await expect(service.start()).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringContaining('svc.greeter.'),
  });
  await expect(clientSide.broker.subscribe('greeter.say', () => {})).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringContaining('greeter.say'),
  });
  await using client = createClient(clientSide);
  await expect(client.publish('secret.topic', { a: 1 })).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringContaining('secret.topic'),
  });
  await expect.poll(() => lines.join()).toContain('secret.topic');
});
