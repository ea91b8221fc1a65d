import { randomUUID } from 'node:crypto';
import { natsBroker } from '@ts-micro/broker-nats';
import { connectNats, type NatsConnection, type NatsState } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { type Client, createClient, createService, type Service } from '@ts-micro/service';
import { type NatsCluster, type NatsServer, startNatsCluster } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { describe, expect, it } from 'vitest';

const patience = { timeout: 30_000 };

/** One process as it would be: a connection, a service on it, and a client. */
interface Member extends AsyncDisposable {
  readonly connection: NatsConnection;
  readonly service: Service;
  readonly client: Client;
  /** What its handlers saw. */
  readonly calls: string[];
  readonly events: string[];
}

async function join(servers: string): Promise<Member> {
  const connection = await connectNats({ servers });
  const plugins = {
    transport: natsTransport({ connection }),
    broker: natsBroker({ connection }),
    registry: natsRegistry({ connection }),
  };
  const service = createService({ name: 'greeter', id: randomUUID(), ...plugins, stopTimeoutMs: 2000 });
  const calls: string[] = [];
  const events: string[] = [];
  service.handle('Greeter.Hello', ({ name }: { name: string }) => {
    calls.push(name);
    return { msg: `Hello ${name}` };
  });
  service.subscribe('greeter.say', ({ text }: { text: string }) => void events.push(text), { queue: 'greeter' });
  await service.start();
  const client = createClient(plugins);
  return {
    connection,
    service,
    client,
    calls,
    events,
    async [Symbol.asyncDispose]() {
      await client.close();
      await service.stop();
      await Promise.all(Object.values(plugins).map((plugin) => plugin.close()));
      await connection.close();
    },
  };
}

const persistent = { idempotent: true, timeoutMs: 15_000, attemptTimeoutMs: 1000, retries: 20 };

async function hello(client: Client, name: string, options: object = persistent): Promise<void> {
  expect(await client.call('greeter', 'Greeter.Hello', { name }, options)).toEqual({ msg: `Hello ${name}` });
}

/**
 * Keeps that many calls in flight for as long as `work` takes; gives back how many were answered. Rejects with the
 * first that failed.
 */
async function callDuring(
  client: Client,
  concurrency: number,
  work: (answered: () => number) => Promise<void>,
): Promise<number> {
  let isOver = false;
  let count = 0;
  const caller = async (index: number) => {
    while (!isOver) {
      await hello(client, `${index}.${count}`);
      count++;
    }
  };
  const callers = Promise.all(Array.from({ length: concurrency }, (_, index) => caller(index)));
  try {
    await Promise.race([callers, work(() => count)]);
  } finally {
    isOver = true;
  }
  await callers;
  return count;
}

function nodeOf(cluster: NatsCluster, member: Member): NatsServer {
  return cluster.nodes.find((node) => node.address === member.connection.address) as NatsServer;
}

describe('a service in a cluster of three', () => {
  it('that was given one address learns the others, and outlives the one it knew', async () => {
    await using cluster = await startNatsCluster();
    const [first, ...others] = cluster.nodes as [NatsServer, NatsServer, NatsServer];
    await using service = await join(first.address);
    await using caller = await join(others[0].address);
    const all = cluster.nodes.map((node) => node.address).sort();
    await expect.poll(() => [...service.connection.state.servers].sort(), patience).toEqual(all);
    expect(service.connection.address).toBe(first.address);

    await first.kill();
    await expect.poll(() => service.connection.state, patience).toMatchObject({ status: 'connected', reconnects: 1 });
    expect(others.map((node) => node.address)).toContain(service.connection.address);
    const seen = service.calls.length;
    await expect
      .poll(async () => {
        await hello(caller.client, 'x');
        return service.calls.length;
      }, patience)
      .toBeGreaterThan(seen);
  });

  it('that was given three is found and called again after the loss of any', { timeout: 120_000 }, async () => {
    await using cluster = await startNatsCluster();
    await using service = await join(cluster.servers);
    const states: NatsState[] = [];
    service.connection.onStateChange((state) => states.push(state));
    for (const node of cluster.nodes) {
      const { reconnects } = service.connection.state;
      const wasThere = nodeOf(cluster, service) === node;
      states.length = 0;
      await node.kill();
      if (wasThere) {
        await expect.poll(() => states.some(({ status }) => status === 'reconnecting'), patience).toBe(true);
        await service.connection.ready({ signal: AbortSignal.timeout(10_000) });
        expect(service.connection.state).toMatchObject({ status: 'connected', reconnects: reconnects + 1 });
        expect(states.at(-1)).toEqual(service.connection.state);
      }
      expect(nodeOf(cluster, service).isRunning).toBe(true);
      expect(service.connection.state.servers).toEqual(
        expect.arrayContaining(cluster.nodes.map(({ address }) => address)),
      );
      // Somebody who comes later, and knows one that lives.
      await using late = await join(nodeOf(cluster, service).address);
      const found = await nodesSeenBy(late);
      expect(found).toContain(service.service.node?.id);
      await node.restart();
      await cluster.formed();
    }
    // It was at one of them at least.
    expect(service.connection.state.reconnects).toBeGreaterThanOrEqual(1);
  });

  it('of which each server dies in turn under 32 calls in flight fails not one of them', {
    timeout: 180_000,
  }, async () => {
    await using cluster = await startNatsCluster();
    await using one = await join(cluster.urls[0] as string);
    await using two = await join(cluster.urls[1] as string);
    await using three = await join(cluster.urls[2] as string);
    await using caller = await join(cluster.servers);
    await expect.poll(async () => (await nodesSeenBy(caller)).length, patience).toBe(4);
    const answered = await callDuring(caller.client, 32, async (count) => {
      for (const node of cluster.nodes) {
        const before = count();
        await node.kill();
        await expect.poll(count, patience).toBeGreaterThan(before + 1000);
        await node.restart();
        await cluster.formed();
      }
    });
    expect(answered).toBeGreaterThan(3000);
    // Whoever was thrown out is back, and known to all.
    for (const member of [one, two, three, caller]) {
      await expect.poll(async () => (await nodesSeenBy(member)).length, patience).toBe(4);
    }
    for (const { connection } of [one, two, three]) expect(connection.state.reconnects).toBeGreaterThanOrEqual(1);
  });

  it('whose server goes into lame duck mode leaves it, and no call in flight fails', { timeout: 60_000 }, async () => {
    const config = 'lame_duck_duration: "60s"\nlame_duck_grace_period: "50s"';
    await using cluster = await startNatsCluster({ config });
    await using service = await join(cluster.servers);
    await using caller = await join(cluster.servers);
    const duck = nodeOf(cluster, service);
    await callDuring(caller.client, 32, async (count) => {
      duck.signal('SIGUSR2');
      await expect.poll(() => nodeOf(cluster, service), patience).not.toBe(duck);
      await expect.poll(() => nodeOf(cluster, caller), patience).not.toBe(duck);
      const before = count();
      await expect.poll(count, patience).toBeGreaterThan(before + 200);
    });
    expect(duck.isRunning).toBe(true);
    await expect.poll(() => duck.counts(), patience).toEqual({ connections: 0, subscriptions: 0 });
  });

  it('shares its events with the others of its queue, wherever they are connected', async () => {
    await using cluster = await startNatsCluster();
    const [first, second, third] = cluster.urls as [string, string, string];
    await using one = await join(first);
    await using two = await join(second);
    await using three = await join(third);
    const handled = () => [one, two, three].flatMap(({ events }) => events);
    // A subscription is on its way to the other servers for a moment after it was made.
    await expect
      .poll(async () => {
        await one.client.publish('greeter.say', { text: 'hello' });
        return [two, three].every(({ events }) => events.length > 0);
      }, patience)
      .toBe(true);
    const texts = Array.from({ length: 300 }, (_, index) => `text ${index}`);
    for (const text of texts) await one.client.publish('greeter.say', { text });
    const said = () => handled().filter((text) => text !== 'hello');
    await expect.poll(() => said().length, patience).toBeGreaterThanOrEqual(texts.length);
    expect(said().sort()).toEqual(texts.sort());
  });
});

/** The ids of the greeter's nodes, as the registry of a member sees them. */
async function nodesSeenBy(member: Member): Promise<string[]> {
  const registry = natsRegistry({ connection: member.connection });
  try {
    return (await registry.getService('greeter')).flatMap(({ nodes }) => nodes.map(({ id }) => id));
  } finally {
    await registry.close();
  }
}
