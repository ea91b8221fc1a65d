import { serviceRecord } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import { codeOf, goMetadata, goReply, mute, openWorld, prefer, until, warm } from './world.ts';

describe('a dead node', () => {
  it('is passed over without the caller noticing, and not asked again at once', async () => {
    await using world = openWorld();
    const dead = await world.node();
    const alive = await world.node();
    await dead.kill();
    const client = world.client();
    for (let call = 0; call < 50; call++)
      expect(await client.call('greeter', 'Greeter.Hello')).toEqual({ node: alive.id });
  });

  it.each(['random', 'roundRobin'] as const)(
    'is passed over also among thousands that somebody announced, selector %s',
    async (selector) => {
      await using world = openWorld();
      const alive = await world.node();
      const client = world.client({ selector });
      // It has answered before.
      expect(await client.call('greeter', 'Greeter.Hello')).toEqual({ node: alive.id });
      const forged = Array.from({ length: 5000 }, (_, i) => ({
        id: `forged-${i}`,
        address: `nowhere-${i}`,
        metadata: goMetadata,
      }));
      await world.registry.register(serviceRecord({ ...alive.record, nodes: forged }));
      for (let call = 0; call < 100; call++)
        expect(await client.call('greeter', 'Greeter.Hello')).toEqual({ node: alive.id });
    },
  );

  it('is left at the first evidence', async () => {
    await using world = openWorld();
    const dead = await world.node({ id: 'dead' });
    await world.node();
    await dead.kill();
    const chosen: string[] = [];
    const client = world.client({
      selector: (candidates, request) => {
        const candidate = prefer('dead')(candidates, request);
        chosen.push(candidate.node.id);
        return candidate;
      },
    });
    for (let call = 0; call < 10; call++) await client.call('greeter', 'Greeter.Hello');
    // Once more where the watcher's first word, which says that it is registered, came after the evidence.
    expect([1, 2]).toContain(chosen.filter((id) => id === 'dead').length);
  });

  it('comes back when it answers again after its back-off', async () => {
    await using world = openWorld();
    const node = await world.node({ id: 'phoenix', address: 'named' });
    const other = await world.node({ id: 'other' });
    const client = world.client({ selector: 'roundRobin' });
    await node.kill();
    for (let call = 0; call < 4; call++)
      expect(await client.call('greeter', 'Greeter.Hello')).toEqual({ node: 'other' });
    const again = await world.node({ service: 'unrelated', id: 'phoenix', address: 'named' });
    await until(() => {
      // The last ones made are still under way when the test is over.
      client.call('greeter', 'Greeter.Hello').catch(() => {});
      return again.messages.length > 0;
    });
    expect(other.messages.length).toBeGreaterThan(4);
  });

  it('comes back at once when the registry has news of it', async () => {
    await using world = openWorld();
    const node = await world.node({ id: 'phoenix', address: 'named' });
    await world.node({ id: 'other' });
    const client = world.client({ selector: 'roundRobin' });
    await node.kill();
    for (let call = 0; call < 4; call++) await client.call('greeter', 'Greeter.Hello');
    await node.leave();
    const again = await world.node({ id: 'phoenix', address: 'named' });
    const began = performance.now();
    await until(() => {
      // The last ones made are still under way when the test is over.
      client.call('greeter', 'Greeter.Hello').catch(() => {});
      return again.messages.length > 0;
    }, 900);
    expect(performance.now() - began).toBeLessThan(900);
  });

  it('comes back at once when the registry says that it changed', async () => {
    await using world = openWorld();
    const node = await world.node({ id: 'phoenix', address: 'named' });
    await world.node({ id: 'other' });
    const client = world.client({ selector: 'roundRobin' });
    await node.kill();
    for (let call = 0; call < 4; call++) await client.call('greeter', 'Greeter.Hello');
    const again = await world.node({ service: 'unrelated', address: 'named' });
    const changed = { id: 'phoenix', address: 'named', metadata: { ...goMetadata, restarted: 'yes' } };
    await world.registry.register(serviceRecord({ ...node.record, nodes: [changed] }));
    await until(() => {
      // The last ones made are still under way when the test is over.
      client.call('greeter', 'Greeter.Hello').catch(() => {});
      return again.messages.length > 0;
    }, 900);
  });

  it('fails the call as unavailable, safe to retry, when there is no other', async () => {
    await using world = openWorld();
    const nodes = [await world.node(), await world.node()];
    for (const node of nodes) await node.kill();
    await expect(world.client().call('greeter', 'Greeter.Hello')).rejects.toMatchObject({
      code: 'unavailable',
      retrySafe: true,
    });
  });

  it('is still tried when all are out, the one that failed first at first', async () => {
    await using world = openWorld();
    const nodes = [await world.node({ address: 'a' }), await world.node({ address: 'b' })];
    for (const node of nodes) await node.kill();
    const client = world.client();
    expect(await codeOf(client.call('greeter', 'Greeter.Hello', {}, { retries: 1 }))).toBe('unavailable');
    await world.node({ service: 'unrelated', address: 'a', id: 'back' });
    expect(await client.call('greeter', 'Greeter.Hello')).toEqual({ node: 'back' });
  });
});

describe('a request that may have run', () => {
  it('is not sent a second time', async () => {
    await using world = openWorld();
    const closing = {
      answer: async (_message: unknown, socket: { close(): Promise<void> }) => void (await socket.close()),
    };
    const nodes = [await world.node(closing as never), await world.node(closing as never)];
    await expect(world.client().call('greeter', 'Greeter.Hello')).rejects.toMatchObject({
      code: 'unavailable',
      retrySafe: false,
    });
    expect(nodes.flatMap(({ messages }) => messages)).toHaveLength(1);
  });

  it('is sent to another node when it is idempotent', async () => {
    await using world = openWorld();
    const silent = await world.node({ answer: mute });
    const alive = await world.node();
    const client = world.client({ selector: 'roundRobin' });
    await warm(client);
    silent.messages.length = 0;
    for (let call = 0; call < 4; call++) {
      const options = { idempotent: true, attemptTimeoutMs: 100 };
      expect(await client.call('greeter', 'Greeter.Hello', {}, options)).toEqual({ node: alive.id });
    }
    expect(silent.messages.length).toBeLessThanOrEqual(2);
  });

  it('is not called safe to retry because a later attempt could not reach anybody', async () => {
    await using world = openWorld();
    const silent = await world.node({ id: 'silent', answer: mute });
    const dead = await world.node({ id: 'dead' });
    await dead.kill();
    const client = world.client({
      selector: prefer('silent'),
      retries: 1,
    });
    await warm(client);
    silent.messages.length = 0;
    await expect(
      client.call('greeter', 'Greeter.Hello', {}, { idempotent: true, attemptTimeoutMs: 100 }),
    ).rejects.toMatchObject({ code: 'unavailable', retrySafe: false, cause: { retrySafe: true } });
    expect(silent.messages).toHaveLength(1);
  });
});

describe('retries', () => {
  it('are as many as allowed and no more', async () => {
    await using world = openWorld();
    const nodes = await Promise.all(Array.from({ length: 5 }, () => world.node({ answer: mute })));
    const client = world.client();
    await warm(client);
    for (const { messages } of nodes) messages.length = 0;
    const options = { idempotent: true, attemptTimeoutMs: 30, retries: 2 };
    expect(await codeOf(client.call('greeter', 'Greeter.Hello', {}, options))).toBe('timeout');
    expect(nodes.filter(({ messages }) => messages.length === 1)).toHaveLength(3);
    expect(nodes.flatMap(({ messages }) => messages)).toHaveLength(3);
  });

  it('do not happen with none allowed', async () => {
    await using world = openWorld();
    const dead = await world.node({ id: 'dead' });
    await world.node();
    await dead.kill();
    const client = world.client({
      retries: 0,
      selector: prefer('dead'),
    });
    expect(await codeOf(client.call('greeter', 'Greeter.Hello'))).toBe('unavailable');
    await client.call('greeter', 'Greeter.Hello');
  });

  it('follow the refusal of an overloaded server only, of what a peer answered', async () => {
    await using world = openWorld();
    const text = '{"id":"ts-micro.server","code":503,"detail":"too many requests"}';
    const full = await world.node({
      id: 'full',
      answer: (m) => {
        const mark = { 'Micro-Error': text, 'Micro-Runtime': `refused ${m.headers['Micro-ID']}` };
        return { headers: { ...m.headers, ...mark }, body: new Uint8Array() };
      },
    });
    await world.node({ id: 'free', answer: (message) => goReply(message, 'done') });
    const client = world.client({
      selector: prefer('full'),
    });
    expect(await client.call('greeter', 'Greeter.Hello')).toBe('done');
    expect(full.messages).toHaveLength(1);
  });

  it('survive an outage shorter than the call', async () => {
    await using world = openWorld();
    await world.node();
    const client = world.client();
    await client.call('greeter', 'Greeter.Hello');
    world.network.partition();
    const call = client.call('greeter', 'Greeter.Hello', {}, { retries: 20 });
    const failing = codeOf(client.call('greeter', 'Greeter.Hello', {}, { retries: 1 }));
    expect(await failing).toBe('unavailable');
    world.network.heal();
    await call;
  });
});
