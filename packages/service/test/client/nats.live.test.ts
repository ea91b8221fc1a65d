import { randomUUID } from 'node:crypto';
import { natsBroker } from '@ts-micro/broker-nats';
import { connectNats, type NatsConnection } from '@ts-micro/nats';
import { type NatsRegistryOptions, natsRegistry } from '@ts-micro/registry-nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import { createClient } from '../../src/client/create-client.ts';
import { createService } from '../../src/server/create-service.ts';
import { codeOf, until } from './world.ts';

interface Member extends AsyncDisposable {
  readonly connection: NatsConnection;
}

interface ClientMember extends Member {
  readonly client: Client;
}

interface ServiceMember extends Member {
  readonly id: string;
  /** Calls that reached a handler. */
  readonly calls: string[];
  /** Cuts the connection without a word, as a SIGKILL does: nothing is deregistered. */
  crash(): Promise<void>;
}

async function openClient(
  servers: string,
  options: Partial<ClientOptions> = {},
  registry: NatsRegistryOptions = {},
): Promise<ClientMember> {
  const connection = await connectNats({ servers });
  const plugins = {
    transport: natsTransport({ connection }),
    broker: natsBroker({ connection }),
    registry: natsRegistry({ ...registry, connection }),
  };
  const client = createClient({ ...plugins, ...options });
  return {
    client,
    connection,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await Promise.all(Object.values(plugins).map((plugin) => plugin.close()));
      await connection.close();
    },
  };
}

async function openService(servers: string, name: string = 'greeter'): Promise<ServiceMember> {
  const connection = await connectNats({ servers });
  const plugins = {
    transport: natsTransport({ connection, closeTimeoutMs: 500 }),
    registry: natsRegistry({ connection }),
  };
  const id = randomUUID();
  const calls: string[] = [];
  const service = createService({ name, id, ...plugins, stopTimeoutMs: 500 });
  service.handle('Greeter.Hello', (request: { name: string }) => {
    calls.push(request.name);
    return { msg: `Hello ${request.name}`, id };
  });
  service.handle('Greeter.Never', () => new Promise(() => {}));
  service.handleStream('Greeter.Count', async (stream) => {
    const request = (await stream.receive()) as { to: number };
    for (let value = 1; value <= request.to; value++) await stream.send({ value });
  });
  await service.start();
  let isCrashed = false;
  return {
    id,
    calls,
    connection,
    crash: async () => {
      isCrashed = true;
      await connection.close({ signal: AbortSignal.abort() });
    },
    [Symbol.asyncDispose]: async () => {
      if (!isCrashed) await service.stop();
      await Promise.all(Object.values(plugins).map((plugin) => plugin.close({ signal: AbortSignal.abort() })));
      await connection.close();
    },
  };
}

function hello(client: Client, name: string, options = {}): Promise<{ msg: string; id: string }> {
  return client.call('greeter', 'Greeter.Hello', { name }, options);
}

describe('over nats, a client', () => {
  it('finds two services and spreads its calls, with one connection and few subscriptions', async () => {
    await using server = await startNatsServer();
    await using one = await openService(server.url);
    await using two = await openService(server.url);
    const before = await server.counts();
    await using member = await openClient(server.url, { selector: 'roundRobin' });
    const ids = new Set<string>();
    await until(() => {
      void hello(member.client, 'x').then(({ id }) => ids.add(id));
      return ids.size === 2;
    });
    expect(ids).toEqual(new Set([one.id, two.id]));
    await Promise.all(Array.from({ length: 200 }, () => hello(member.client, 'x')));
    const after = await server.counts();
    expect(after.connections - before.connections).toBe(1);
    expect(after.subscriptions - before.subscriptions).toBeLessThanOrEqual(6);
  });

  it('passes over a node that is gone, which costs no call', async () => {
    await using server = await startNatsServer();
    await using crashed = await openService(server.url);
    await using alive = await openService(server.url);
    await using member = await openClient(server.url, { selector: 'roundRobin' });
    await until(() => {
      void hello(member.client, 'x').catch(() => {});
      return crashed.calls.length > 0 && alive.calls.length > 0;
    });
    const { connections } = await server.counts();
    await crashed.crash();
    // What the server hands to a connection that it does not know to be gone yet is lost, and not safe to send again.
    await expect.poll(async () => (await server.counts()).connections).toBe(connections - 1);
    // Each would run out of its time where it first waited for the one that is gone.
    for (let call = 0; call < 100; call++) expect((await hello(member.client, 'x')).id).toBe(alive.id);
  });

  it('never runs a call twice while nodes crash under load', async () => {
    await using server = await startNatsServer();
    await using one = await openService(server.url);
    await using two = await openService(server.url);
    await using three = await openService(server.url);
    await using member = await openClient(server.url);
    const outcomes = new Map<string, string>();
    const caller = async (index: number) => {
      for (let call = 0; call < 40; call++) {
        const name = `${index}.${call}`;
        outcomes.set(name, await codeOf(hello(member.client, name, { timeoutMs: 1000 })));
        if (index === 0 && call === 10) await one.crash();
        if (index === 0 && call === 20) await two.crash();
      }
    };
    await Promise.all(Array.from({ length: 32 }, (_, index) => caller(index)));
    const runs = [one, two, three].flatMap(({ calls }) => calls);
    expect(new Set(runs).size).toBe(runs.length);
    const failed = [...outcomes.values()].filter((outcome) => !outcome.startsWith('resolved'));
    for (const code of failed) expect(['timeout', 'unavailable']).toContain(code);
    expect(failed.length).toBeLessThan(64);
  });

  it('fails fast while the server is away and goes on by itself when it is back', async () => {
    await using server = await startNatsServer();
    await using service = await openService(server.url);
    await using member = await openClient(server.url);
    await hello(member.client, 'before');
    await member.client.publish('topic', {});
    await server.kill();
    await until(() => member.connection.state.status !== 'connected');
    await expect(hello(member.client, 'during')).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
    await expect(member.client.call('other', 'Other.Call')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(member.client.publish('topic', {})).rejects.toMatchObject({ code: 'unavailable' });
    await server.restart();
    await expect.poll(() => codeOf(hello(member.client, 'after')), { timeout: 10_000 }).toContain('resolved');
    expect(service.calls).toEqual(['before', 'after']);
  });

  it('ends a call in flight by its deadline when the server dies', async () => {
    await using server = await startNatsServer();
    await using service = await openService(server.url);
    await using member = await openClient(server.url);
    await hello(member.client, 'x');
    const call = member.client.call('greeter', 'Greeter.Never', {}, { timeoutMs: 1000, retries: 0 });
    const began = performance.now();
    const outcome = codeOf(call);
    await server.kill();
    expect(['timeout', 'unavailable']).toContain(await outcome);
    expect(performance.now() - began).toBeLessThan(2500);
    expect(service.calls).toEqual(['x']);
  });

  it('streams ten thousand values and leaves no subscription behind', async () => {
    await using server = await startNatsServer();
    await using _service = await openService(server.url);
    await using member = await openClient(server.url);
    await hello(member.client, 'x');
    // The service: its address and both families of queries. The client: two for replies and, a moment later, both
    // families of changes.
    const subscriptions = async () => (await server.counts()).subscriptions;
    await expect.poll(subscriptions).toBe(7);
    await using stream = await member.client.stream<unknown, { value: number }>('greeter', 'Greeter.Count');
    await stream.send({ to: 10_000 });
    let count = 0;
    for await (const { value } of stream) {
      count++;
      if (value !== count) expect(value).toBe(count);
    }
    expect(count).toBe(10_000);
    expect(await subscriptions()).toBe(7);
  });

  it('answers its first call before the registry has heard of all', async () => {
    await using server = await startNatsServer();
    await using _one = await openService(server.url);
    // The whole of a lookup takes longer than the call may.
    await using member = await openClient(server.url, {}, { quietMs: 60_000, queryTimeoutMs: 60_000 });
    expect(await codeOf(hello(member.client, 'x', { timeoutMs: 10_000 }))).toContain('resolved');
  });
});
