import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { type NatsWorld, startNatsWorld } from '../src/nats.ts';

test('a killed server is out of reach until it is restarted', async () => {
  await using nats = await startNatsWorld();
  expect(await greetings(nats)).toHaveLength(1);
  await nats.faults.kill();
  expect(await greetings(nats)).toEqual([]);
  await nats.faults.restart();
  expect(await greetings(nats)).toHaveLength(1);
});

test('a cluster is killed as a whole, and comes back as one', async () => {
  await using nats = await startNatsWorld({ size: 3 });
  await nats.faults.kill();
  expect(await greetings(nats)).toEqual([]);
  await nats.faults.restart();
  expect(await greetings(nats)).toHaveLength(3);
});

test('nodes that are killed in turn leave all but the last', async () => {
  await using nats = await startNatsWorld({ size: 3, kill: 'inTurn' });
  const before = await greetings(nats);
  await nats.faults.kill();
  const between = await greetings(nats);
  expect(between).toHaveLength(2);
  await nats.faults.restart();
  const after = await greetings(nats);
  expect(after).toHaveLength(3);
  // A server has an id of its own each time it runs.
  const ids = [...before, ...between, ...after].map(({ server_id }) => server_id);
  expect(new Set(ids).size).toBe(6);
});

test('clients learn of the proxies alone', async () => {
  await using nats = await startNatsWorld({ size: 3 });
  const greeted = await greetings(nats);
  expect(greeted).toHaveLength(3);
  for (const { connect_urls } of greeted) expect(connect_urls).toBeUndefined();
});

test('a partition ends connections, refuses new ones, and ends', async () => {
  await using nats = await startNatsWorld();
  const port = Number(nats.servers[0]?.split(':')[1]);
  const client = connect({ host: '127.0.0.1', port });
  await once(client, 'data');
  const reset = once(client, 'error');
  // A server greets a client before it counts it.
  await expect.poll(() => nats.count()).toEqual({ connections: 1, subscriptions: 0 });
  const partition = nats.faults.partition?.(100);
  await reset;
  expect(await greetings(nats)).toEqual([]);
  await partition;
  expect(await greetings(nats)).toHaveLength(1);
});

test('what is no way to kill is invalid', async () => {
  await expect(startNatsWorld({ kill: 'softly' as 'inTurn' })).rejects.toMatchObject({ code: 'invalid' });
});

interface Greeting {
  readonly server_id: string;
  readonly connect_urls?: readonly string[];
}

/** What the servers that are in reach say first. */
async function greetings({ servers }: NatsWorld): Promise<Greeting[]> {
  const greeted = await Promise.all(servers.map(greeting));
  return greeted.filter((each) => each !== undefined);
}

function greeting(address: string): Promise<Greeting | undefined> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) });
    let text = '';
    socket.setEncoding('utf8').on('data', (piece) => {
      text += piece;
      const [, info] = /^INFO (\{.*\})/.exec(text) ?? [];
      if (info !== undefined) {
        socket.destroy();
        resolve(JSON.parse(info));
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(undefined));
  });
}
