import { expect, test } from 'vitest';
import { runThing, thing } from './thing.ts';

const hasty = { factor: 0.02 };

test('a case that resolves has passed', async () => {
  const result = await runThing(async () => {});
  expect(result).toMatchObject({ id: 'broker/made-up', title: 'a case made up', subject: 'Broker', status: 'passed' });
});

test('a case that rejects has failed, with what was sent and received', async () => {
  const result = await runThing(async (context) => {
    const broker = await context.open();
    await broker.publish('orders', { headers: { a: 'b' }, body: new Uint8Array([104, 105]) });
    throw new Error('as it happens');
  });
  expect(result).toMatchObject({ status: 'failed', reason: 'as it happens' });
  expect(result.details).toContain('run-case.test.ts');
  expect(result.trace?.join('\n')).toContain('broker1.publish("orders", {"headers":{"a":"b"},"body":"2 bytes hi"})');
});

test('a case that hangs has failed', async () => {
  const result = await runThing(() => new Promise(() => {}), {
    backend: { name: 'thing', open: () => thing(), timing: { factor: 0.002 } },
  });
  expect(result).toMatchObject({ status: 'failed', reason: 'the case: still waiting after 120 ms' });
});

test('a backend that cannot be opened has failed', async () => {
  const open = () => Promise.reject(new Error('no such server'));
  const result = await runThing(async () => {}, { backend: { name: 'thing', open } });
  expect(result).toMatchObject({ status: 'failed', reason: 'no such server' });
});

test('where a feature is absent the refusal is run instead', async () => {
  let refused = 0;
  const result = await runThing(() => Promise.reject(new Error('the case was run')), {
    needs: ['queues', 'wildcards'],
    refusals: {
      async wildcards() {
        refused++;
      },
    },
  });
  expect(result).toMatchObject({ status: 'notSupported', reason: 'no wildcards' });
  expect(refused).toBe(1);
});

test('a backend that does not refuse what it lacks has failed', async () => {
  const wildcards = () => Promise.reject(new Error('it subscribed all the same'));
  const result = await runThing(async () => {}, { needs: ['wildcards'], refusals: { wildcards } });
  expect(result).toMatchObject({ status: 'failed', reason: 'it subscribed all the same' });
});

test('a body limit too high to exceed is a feature that is absent', async () => {
  const open = () => thing({ maxBodyBytes: Number.POSITIVE_INFINITY });
  const run = () => Promise.reject(new Error('the case was run'));
  const result = await runThing(run, { needs: ['bodyLimit'], backend: { name: 'thing', open } });
  expect(result).toMatchObject({ status: 'notSupported', reason: 'no bodyLimit' });
});

test('an outage case is not run without faults, and is run with them', async () => {
  const run = () => Promise.reject(new Error('the case was run'));
  const faults = { async kill() {}, async restart() {} };
  const backend = { name: 'thing', open: () => thing(), faults };
  expect(await runThing(run, { needs: ['faults'] })).toMatchObject({ status: 'notRun', reason: 'no faults given' });
  expect(await runThing(run, { needs: ['faults'], backend })).toMatchObject({ status: 'failed' });
  expect(await runThing(run, { needs: ['partition'], backend })).toMatchObject({
    status: 'notRun',
    reason: 'no partition given',
  });
});

test('a case known to fail must fail', async () => {
  const knownFailing = [{ id: 'broker/made-up', reason: 'server bug 17' }];
  const backend = { name: 'thing', open: () => thing(), knownFailing };
  const fails = await runThing(() => Promise.reject(new Error('as ever')), { backend });
  expect(fails).toMatchObject({ status: 'knownFailing', reason: 'server bug 17' });
  const passes = await runThing(async () => {}, { backend });
  expect(passes).toMatchObject({ status: 'failed', reason: 'passes, and is listed as known failing: server bug 17' });
});

test('what a case opened is closed after it, whatever came of it', async () => {
  for (const run of [async () => {}, () => Promise.reject(new Error('as it happens'))]) {
    let released = 0;
    const open = () => thing({}, () => released++);
    await runThing(
      async (context) => {
        await context.open();
        await context.open();
        await run();
      },
      { backend: { name: 'thing', open } },
    );
    expect(released).toBe(2);
  }
});

test('a close that hangs has failed', async () => {
  const open = () => thing({}, () => new Promise(() => {}));
  const result = await runThing(async () => {}, { backend: { name: 'thing', open, timing: hasty } });
  expect(result).toMatchObject({
    status: 'failed',
    reason: 'closing broker1 after the case: still waiting after 200 ms',
  });
});

test('two instances that support different things have failed', async () => {
  let count = 0;
  const open = () => thing({ maxBodyBytes: ++count });
  const result = await runThing(
    async (context) => {
      await context.open();
      await context.open();
    },
    { backend: { name: 'thing', open } },
  );
  expect(result.status).toBe('failed');
  expect(result.reason).toContain('what they support');
});

test('a timer left over has failed', async () => {
  let timer: NodeJS.Timeout | undefined;
  const open = () => {
    timer = setInterval(() => {}, 60_000);
    return thing();
  };
  const result = await runThing(async () => {}, { backend: { name: 'thing', open, timing: hasty } });
  clearInterval(timer);
  expect(result).toMatchObject({
    status: 'failed',
    reason: expect.stringMatching(
      /^after the case: 1 Timeout left over; setInterval of 60000 ms, made .*run-case\.test\.ts/,
    ),
  });
});

test('a thousand timers that one line left over are told once', async () => {
  let timers: NodeJS.Timeout[] = [];
  const open = () => {
    timers = Array.from({ length: 1000 }, () => setInterval(() => {}, 60_000));
    return thing();
  };
  const { reason } = await runThing(async () => {}, { backend: { name: 'thing', open, timing: hasty } });
  for (const timer of timers) clearInterval(timer);
  expect(reason).toMatch(/^after the case: 1000 Timeout left over; 1000 times setInterval of 60000 ms, made [^;]*$/);
});

test('what the backend counts must be back where it was, in its own time', async () => {
  let connections = 1;
  const counted = (back: number, timing = {}) => ({
    name: 'thing',
    timing,
    open: () => {
      connections++;
      return thing({}, () => setTimeout(() => (connections -= back), 20));
    },
    count: () => ({ connections }),
  });
  expect(await runThing(async () => {}, { backend: counted(1) })).toMatchObject({ status: 'passed' });
  const leaking = await runThing(async () => {}, { backend: counted(0, hasty) });
  expect(leaking).toMatchObject({ status: 'failed', reason: 'after the case: 1 connections left over' });
});

test('a harness of its own is disposed after each case, with an id of its own', async () => {
  const ids = new Set<string>();
  let disposed = 0;
  const backend = {
    name: 'thing',
    create: async (id: string) => {
      ids.add(id);
      return {
        open: () => thing(),
        async [Symbol.asyncDispose]() {
          disposed++;
        },
      };
    },
  };
  await runThing(async () => {}, { backend });
  await runThing(() => Promise.reject(new Error('as it happens')), { backend });
  expect([ids.size, disposed]).toEqual([2, 2]);
});

test('a promise rejected with nobody listening has failed', async () => {
  // The runner must not see it: it is on purpose.
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  try {
    const result = await runThing(async () => {
      void Promise.reject(new Error('lost in the dark'));
    });
    expect(result.status).toBe('failed');
    expect(result.reason).toContain('lost in the dark');
  } finally {
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
});

test('a close that waits for a handler does not hold the end of a case', async () => {
  let handled: Promise<void> | undefined;
  const open = () => thing({}, () => handled);
  const result = await runThing(
    async (context) => {
      await context.open();
      handled = context.ended;
    },
    { backend: { name: 'thing', open, timing: hasty } },
  );
  expect(result.status).toBe('passed');
});
