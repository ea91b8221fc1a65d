import { randomUUID } from 'node:crypto';
import { natsBroker } from '@ts-micro/broker-nats';
import { connectNats, decodeEnvelope, encodeEnvelope } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient, createService } from '@ts-micro/service';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { describe, expect, it } from 'vitest';

type Dialect = 'auto' | 'go';

async function openPlugins(servers: string, dialect: Dialect) {
  const connection = await connectNats({ servers });
  const plugins = {
    transport: natsTransport({ connection, dialect }),
    broker: natsBroker({ connection, dialect: dialect === 'auto' ? 'native' : 'go' }),
    registry: natsRegistry({ connection }),
    dialect,
  } as const;
  const close = async () => {
    await Promise.all([plugins.transport.close(), plugins.broker.close(), plugins.registry.close()]);
    await connection.close();
  };
  return { connection, plugins, close };
}

async function openService(servers: string, id: string, dialect: Dialect) {
  const { plugins, close } = await openPlugins(servers, dialect);
  const heard: string[] = [];
  const service = createService({ name: 'greeter', version: '1.0.0', id, ...plugins });
  service.handle('Greeter.Hello', ({ name }: { name: string }) => ({ msg: `Hello ${name}`, id }));
  service.handleStream('Greeter.Count', async (stream) => {
    const request = (await stream.receive()) as { to: number };
    for (let value = 1; value <= request.to; value++) await stream.send({ value, id });
  });
  service.subscribe('greeter.say', ({ text }: { text: string }) => void heard.push(text));
  await service.start();
  const stop = async () => {
    await service.stop();
    await close();
  };
  return { heard, [Symbol.asyncDispose]: stop };
}

/** A node with Go Micro's metadata that knows nothing but its envelope and its headers. */
async function openGoNode(servers: string, id: string) {
  const { connection, plugins, close } = await openPlugins(servers, 'go');
  const address = `_INBOX.${randomUUID()}`;
  const answer = (data: Uint8Array, reply: string | undefined) => {
    const { headers, body } = decodeEnvelope(data);
    const { name } = JSON.parse(Buffer.from(body).toString());
    const response = Buffer.from(`${JSON.stringify({ msg: `Hello ${name}`, id })}\n`);
    const head = { 'Content-Type': 'application/json', 'Micro-Id': headers['Micro-Id'] ?? '' };
    connection.publish(reply ?? '', encodeEnvelope({ headers: head, body: response }));
  };
  await connection.subscribe(address, { onMessage: ({ data, reply }) => answer(data, reply) }).confirm();
  const metadata = { transport: 'nats', broker: 'nats', registry: 'nats', server: 'mucp', protocol: 'mucp' };
  const endpoints = [{ name: 'Greeter.Hello', metadata: {} }];
  await plugins.registry.register({
    name: 'greeter',
    version: '1.0.0',
    metadata: {},
    endpoints,
    nodes: [{ id, address, metadata }],
  });
  return { [Symbol.asyncDispose]: close };
}

describe.each<Dialect>(['auto', 'go'])('a client in dialect %s', (dialect) => {
  it('calls native, envelope-only and Go nodes of one service', async () => {
    await using server = await startNatsServer();
    await using _native = await openService(server.url, 'native', 'auto');
    await using _envelope = await openService(server.url, 'envelope', 'go');
    await using _go = await openGoNode(server.url, 'go');
    const { plugins, close } = await openPlugins(server.url, dialect);
    const client = createClient({ ...plugins, selector: 'roundRobin' });
    try {
      const ids = new Set<string>();
      const call = async () => {
        const { msg, id } = await client.call<{ msg: string; id: string }>('greeter', 'Greeter.Hello', { name: 'é<>' });
        expect(msg).toBe('Hello é<>');
        ids.add(id);
        return ids.size;
      };
      await expect.poll(call, { interval: 5 }).toBe(3);
      await Promise.all(Array.from({ length: 100 }, call));
    } finally {
      await client.close();
      await close();
    }
  });

  it('streams from native and envelope-only nodes, and both hear its events', async () => {
    await using server = await startNatsServer();
    await using native = await openService(server.url, 'native', 'auto');
    await using envelope = await openService(server.url, 'envelope', 'go');
    const { plugins, close } = await openPlugins(server.url, dialect);
    const client = createClient({ ...plugins, selector: 'roundRobin' });
    try {
      const ids = new Set<string>();
      const count = async () => {
        await using stream = await client.stream<{ to: number }, { value: number; id: string }>(
          'greeter',
          'Greeter.Count',
        );
        await stream.send({ to: 20 });
        const values: number[] = [];
        for await (const { value, id } of stream) {
          values.push(value);
          ids.add(id);
        }
        expect(values).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
        return ids.size;
      };
      await expect.poll(count, { interval: 5 }).toBe(2);
      await client.publish('greeter.say', { text: 'hello' });
      await expect.poll(() => [native.heard, envelope.heard]).toEqual([['hello'], ['hello']]);
    } finally {
      await client.close();
      await close();
    }
  });
});
