import { describe, expect, it } from 'vitest';
import { codeOf, goReply, mute, never, openWorld, until, warm } from './world.ts';

describe('a timeout', () => {
  it('ends a call that nobody answers, naming service, endpoint, node and time', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: mute });
    const client = world.client();
    await warm(client);
    const began = performance.now();
    await expect(client.call('greeter', 'Greeter.Hello', {}, { timeoutMs: 80 })).rejects.toMatchObject({
      code: 'timeout',
      retrySafe: false,
      message: `client: greeter Greeter.Hello at ${node.id}: no answer in 80 ms`,
    });
    const tookMs = performance.now() - began;
    expect(tookMs).toBeGreaterThanOrEqual(80);
    expect(tookMs).toBeLessThan(2000);
    await until(() => node.open === 0);
  });

  it('of an attempt is told to the server, and of a call what remains of it', async () => {
    await using world = openWorld();
    const node = await world.node();
    const client = world.client();
    const timeouts = [
      { timeoutMs: 3000 },
      { timeoutMs: 3000 },
      { timeoutMs: 3000, attemptTimeoutMs: 2000 },
      { timeoutMs: 3000, attemptTimeoutMs: 4000 },
    ];
    for (const options of timeouts) await client.call('greeter', 'Greeter.Hello', {}, options);
    const [first, ...others] = node.messages.map(({ headers }) => Number(headers.Timeout));
    // The first call spent some of its time on asking the registry.
    expect(first).toBeLessThan(3000e6);
    expect(first).toBeGreaterThan(1000e6);
    expect(others).toEqual([3000e6, 2000e6, 3000e6]);
  });

  it('covers all attempts together', async () => {
    await using world = openWorld();
    for (let node = 0; node < 4; node++) await world.node({ answer: mute });
    const client = world.client();
    await warm(client);
    const began = performance.now();
    const options = { timeoutMs: 900, attemptTimeoutMs: 600, idempotent: true, retries: 10 };
    await expect(client.call('greeter', 'Greeter.Hello', {}, options)).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringMatching(/, attempt 2: no answer in 900 ms$/),
      cause: { code: 'timeout' },
    });
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it('ends a call while the registry is being asked', async () => {
    await using world = openWorld();
    const registry = {
      ...world.registry,
      name: 'stuck',
      supports: world.registry.supports,
      getService: () => never,
      watch: () => never,
    };
    const client = world.client({ registry: registry as never });
    expect(await codeOf(client.call('greeter', 'Greeter.Hello', {}, { timeoutMs: 50 }))).toBe('timeout');
  });

  it('ends a call while the transport dials, and closes the socket that opens too late', async () => {
    await using world = openWorld();
    const node = await world.node();
    let open: () => void = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const sockets: Promise<unknown>[] = [];
    const transport = {
      ...world.transport,
      name: 'memory',
      dial: async (address: string) => {
        await opened;
        const socket = await world.transport.dial(address);
        sockets.push(socket.closed);
        return socket;
      },
    };
    const client = world.client({ transport: transport as never });
    const options = { timeoutMs: 50, retries: 0, address: node.address };
    await expect(client.call('greeter', 'Greeter.Hello', {}, options)).rejects.toMatchObject({
      code: 'timeout',
      retrySafe: true,
    });
    open();
    await until(() => sockets.length === 1);
    await sockets[0];
    expect(node.messages).toEqual([]);
  });

  it('of one slow endpoint does not put a node out of use that answers others', async () => {
    await using world = openWorld();
    const slow = await world.node({
      id: 'busy',
      answer: (m) => (m.headers['Micro-Endpoint'] === 'Greeter.Slow' ? never : goReply(m, 'quick')),
    });
    await world.node({ id: 'other' });
    const client = world.client({ selector: 'roundRobin' });
    const where = ({ node }: { node: { id: string } }) => node.id === 'busy';
    await client.call('greeter', 'Greeter.Hello', {}, { where });
    const waiting = codeOf(client.call('greeter', 'Greeter.Slow', {}, { where, timeoutMs: 100 }));
    await until(() => slow.messages.length === 2);
    expect(await client.call('greeter', 'Greeter.Hello', {}, { where })).toBe('quick');
    expect(await waiting).toBe('timeout');
    const ids = new Set<unknown>();
    for (let call = 0; call < 40; call++) ids.add(JSON.stringify(await client.call('greeter', 'Greeter.Hello')));
    expect(ids.size).toBe(2);
  });

  it('that passes without an answer to anybody puts a node out of use', async () => {
    await using world = openWorld();
    const wedged = await world.node({ id: 'wedged', answer: mute });
    await world.node({ id: 'fine' });
    const client = world.client();
    const where = ({ node }: { node: { id: string } }) => node.id === 'wedged';
    await client.call('greeter', 'Greeter.Warm', {}, { where });
    wedged.messages.length = 0;
    expect(await codeOf(client.call('greeter', 'Greeter.Hello', {}, { where, timeoutMs: 30 }))).toBe('timeout');
    for (let call = 0; call < 20; call++)
      expect(await client.call('greeter', 'Greeter.Hello')).toEqual({ node: 'fine' });
    expect(wedged.messages).toHaveLength(1);
    // One answer is enough to be back.
    await client.call('greeter', 'Greeter.Warm', {}, { where });
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.call('greeter', 'Greeter.Warm')));
    expect(answers).toContain('warm');
  });
});

describe('a signal', () => {
  it('ends a call as canceled with its reason as cause, and the socket with it', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: () => never });
    const controller = new AbortController();
    const call = world.client().call('greeter', 'Greeter.Hello', {}, { signal: controller.signal });
    await until(() => node.messages.length === 1);
    controller.abort('enough');
    await expect(call).rejects.toMatchObject({ code: 'canceled', cause: 'enough' });
    await until(() => node.open === 0);
  });

  it('that is a deadline ends it as a timeout', async () => {
    await using world = openWorld();
    await world.node({ answer: () => never });
    const call = world.client().call('greeter', 'Greeter.Hello', {}, { signal: AbortSignal.timeout(50) });
    await expect(call).rejects.toMatchObject({ code: 'timeout', cause: { name: 'TimeoutError' } });
  });

  it('aborted before the call sends nothing', async () => {
    await using world = openWorld();
    const node = await world.node();
    const call = world.client().call('greeter', 'Greeter.Hello', {}, { signal: AbortSignal.abort('early') });
    await expect(call).rejects.toMatchObject({ code: 'canceled', cause: 'early' });
    expect(node.messages).toEqual([]);
  });

  it('ends the pause between two attempts', async () => {
    await using world = openWorld();
    const node = await world.node();
    const client = world.client();
    await client.call('greeter', 'Greeter.Hello');
    await node.kill();
    const controller = new AbortController();
    const call = client.call(
      'greeter',
      'Greeter.Hello',
      {},
      { signal: controller.signal, retries: 1000, timeoutMs: 60_000 },
    );
    setTimeout(() => controller.abort(), 250);
    await expect(call).rejects.toMatchObject({ code: 'canceled' });
  });

  it('shared by many calls costs one listener, and none afterwards', async () => {
    await using world = openWorld();
    const node = await world.node();
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const { signal } = new AbortController();
    const client = world.client();
    await Promise.all(Array.from({ length: 50 }, () => client.call('greeter', 'Greeter.Hello', {}, { signal })));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
    expect(node.messages).toHaveLength(50);
  });
});

describe('the context of an incoming request', () => {
  it('shortens the call to its deadline', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: () => never });
    const context = { metadata: {}, deadline: Date.now() + 120, signal: new AbortController().signal };
    const began = performance.now();
    expect(await codeOf(world.client().call('greeter', 'Greeter.Hello', {}, { context }))).toBe('timeout');
    expect(performance.now() - began).toBeLessThan(2000);
    expect(Number(node.messages[0]?.headers.Timeout)).toBeLessThanOrEqual(120e6);
  });

  it('whose deadline has passed sends nothing', async () => {
    await using world = openWorld();
    const node = await world.node();
    const context = { metadata: {}, deadline: Date.now() - 1, signal: new AbortController().signal };
    expect(await codeOf(world.client().call('greeter', 'Greeter.Hello', {}, { context }))).toBe('timeout');
    expect(node.messages).toEqual([]);
  });

  it('that is aborted ends the call', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: () => never });
    const controller = new AbortController();
    const context = { metadata: {}, deadline: undefined, signal: controller.signal };
    const call = codeOf(world.client().call('greeter', 'Greeter.Hello', {}, { context }));
    await until(() => node.messages.length === 1);
    controller.abort();
    expect(await call).toBe('canceled');
  });
});
