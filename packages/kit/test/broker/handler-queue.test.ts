import { AsyncLocalStorage } from 'node:async_hooks';
import type { BrokerEvent, Logger, MicroError } from '@ts-micro/core';
import { expect, test, vi } from 'vitest';
import { HandlerQueue, type HandlerQueueOptions } from '../../src/index.ts';

const event = (topic: string): BrokerEvent => ({ topic, message: { headers: {}, body: new Uint8Array() } });

function queueOf(options: Pick<HandlerQueueOptions<string>, 'handler'> & Partial<HandlerQueueOptions<string>>) {
  return new HandlerQueue<string>({ what: 'test queue', eventOf: event, ...options });
}

test('handlers run one at a time and in order unless told otherwise', async () => {
  const seen: string[] = [];
  let running = 0;
  const queue = queueOf({
    handler: async ({ topic }) => {
      running++;
      expect(running).toBe(1);
      await Promise.resolve();
      seen.push(topic);
      running--;
    },
  });
  for (const topic of ['a', 'b', 'c']) queue.push(topic);
  await queue.finish({}, 1000);
  expect(seen).toEqual(['a', 'b', 'c']);
});

test('no handler is called by push itself', async () => {
  let calls = 0;
  const queue = queueOf({ handler: () => void calls++ });
  queue.push('a');
  expect(calls).toBe(0);
  await queue.finish({}, 1000);
  expect(calls).toBe(1);
});

test('at most concurrency handlers run at once', async () => {
  let running = 0;
  let most = 0;
  const queue = queueOf({
    concurrency: 3,
    handler: async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    },
  });
  for (let count = 0; count < 20; count++) queue.push('a');
  await queue.finish({}, 1000);
  expect(most).toBe(3);
});

test('a handler that throws is reported with its event and stops nobody', async () => {
  const reports: [MicroError, BrokerEvent | undefined][] = [];
  const seen: string[] = [];
  const queue = queueOf({
    onError: (error, about) => void reports.push([error, about]),
    handler: ({ topic }) => {
      seen.push(topic);
      if (topic === 'bad') throw new Error('no');
    },
  });
  queue.push('bad');
  queue.push('good');
  await queue.finish({}, 1000);
  expect(seen).toEqual(['bad', 'good']);
  expect(reports).toHaveLength(1);
  expect(reports[0]?.[0]).toMatchObject({ code: 'internal', cause: new Error('no') });
  expect(reports[0]?.[1]?.topic).toBe('bad');
});

test('an item that cannot be read is reported as malformed, without an event', async () => {
  const reports: [MicroError, BrokerEvent | undefined][] = [];
  const queue = queueOf({
    eventOf: () => {
      throw new Error('not JSON');
    },
    onError: (error, about) => void reports.push([error, about]),
    handler: () => expect.unreachable(),
  });
  queue.push('x');
  await queue.finish({}, 1000);
  expect(reports).toEqual([[expect.objectContaining({ code: 'malformed' }), undefined]]);
});

test('an onError that throws is logged and stops nobody', async () => {
  const logged: string[] = [];
  const note = (message: string) => void logged.push(message);
  const queue = queueOf({
    logger: { debug: note, info: note, warn: note, error: note },
    onError: () => {
      throw new Error('worse');
    },
    handler: () => {
      throw new Error('bad');
    },
  });
  queue.push('a');
  queue.push('b');
  await queue.finish({}, 1000);
  expect(logged).toEqual(['onError failed', 'onError failed']);
});

test('what comes beyond the limit is dropped, and every drop is counted in a report', async () => {
  const dropped: string[] = [];
  let seen = 0;
  const queue = queueOf({
    limit: 2,
    onError: (error) => void dropped.push(`${error.code} ${/(\d+) messages/.exec(error.message)?.[1]}`),
    handler: () => void seen++,
  });
  for (let count = 0; count < 5; count++) queue.push('a');
  await queue.finish({}, 1000);
  expect(seen).toBe(2);
  expect(dropped).toEqual(['unavailable 1', 'unavailable 2']);
});

test('drops are told at once, then once a second at most, also where the queue runs empty between them', async () => {
  vi.useFakeTimers();
  try {
    const told: [ms: number, count: string | undefined][] = [];
    const beganAt = performance.now();
    const queue = queueOf({
      limit: 1,
      onError: ({ message }) => void told.push([performance.now() - beganAt, /(\d+) messages/.exec(message)?.[1]]),
      handler: () => {},
    });
    for (let burst = 0; burst < 15; burst++) {
      for (let count = 0; count < 4; count++) queue.push('a');
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(told).toEqual([
      [0, '1'],
      [1000, '29'],
    ]);
    await queue.finish({}, 1000);
    expect(told.at(-1)?.[1]).toBe('15');
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('finishing gives up at its bound and forgets what waits', async () => {
  let calls = 0;
  const queue = queueOf({
    handler: () => {
      calls++;
      return new Promise(() => {});
    },
  });
  queue.push('a');
  queue.push('b');
  await expect(queue.finish({}, 20)).rejects.toMatchObject({ code: 'timeout' });
  expect(calls).toBe(1);
});

test('finishing gives up when its signal aborts', async () => {
  const stop = new AbortController();
  const queue = queueOf({ handler: () => new Promise(() => {}) });
  queue.push('a');
  const finishing = queue.finish({ signal: stop.signal }, 60_000);
  stop.abort();
  await expect(finishing).rejects.toMatchObject({ code: 'canceled' });
});

test.each([0, -1, 1.5, Number.NaN])('a concurrency of %s is invalid', (concurrency) => {
  expect(() => queueOf({ concurrency, handler: () => {} })).toThrow(/concurrency is/);
});

test('what a handler enters into its async context is seen by no other, nor what the pusher is in', async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const enter = () => {
    seen.push(storage.getStore());
    storage.enterWith('the handler before');
  };
  for (const handler of [enter, async () => enter()]) {
    const queue = queueOf({ handler });
    storage.run('the pusher', () => {
      for (const topic of ['a', 'b', 'c']) queue.push(topic);
    });
    await queue.finish({}, 1000);
  }
  expect(seen).toEqual(Array.from({ length: 6 }));
});

test('the event loop turns however many quick handlers wait', async () => {
  for (const isAsync of [false, true]) {
    let handled = 0;
    let handledAtTurn = 0;
    const queue = queueOf({
      handler: () => {
        const end = performance.now() + 1;
        while (performance.now() < end);
        handled++;
        return isAsync ? Promise.resolve() : undefined;
      },
    });
    for (let count = 0; count < 200; count++) queue.push('a');
    setTimeout(() => {
      handledAtTurn = handled;
    }, 1);
    await queue.finish({}, 60_000);
    expect(handled).toBe(200);
    expect(handledAtTurn).toBeGreaterThan(0);
    expect(handledAtTurn).toBeLessThan(200);
  }
});

test('neither a logger nor an onError that throws can stop it', async () => {
  const fail = () => {
    throw new Error('the log is full');
  };
  const logger: Logger = { debug: fail, info: fail, warn: fail, error: async () => fail() };
  for (const onError of [undefined, fail, async () => fail()]) {
    const seen: string[] = [];
    const queue = queueOf({
      limit: 2,
      logger,
      onError,
      handler: ({ topic }) => {
        seen.push(topic);
        fail();
      },
    });
    for (const topic of ['a', 'b', 'dropped']) queue.push(topic);
    await queue.finish({}, 1000);
    expect(seen).toEqual(['a', 'b']);
  }
});

test('what is no handler, and an onError that is no function, are refused', () => {
  for (const handler of [undefined, null, 5, {}])
    expect(() => queueOf({ handler: handler as never })).toThrow('test queue: option handler is');
  expect(() => queueOf({ handler: () => {}, onError: 5 as never })).toThrow('test queue: option onError is 5');
});

/** Items whose handler runs until `release`, so that all others wait. */
function heldQueue(options: Partial<HandlerQueueOptions<string>>) {
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const seen: string[] = [];
  const handler = ({ topic }: BrokerEvent) => {
    seen.push(topic);
    return released;
  };
  return { queue: queueOf({ handler, bytesOf: (item) => item.length, ...options }), seen, release };
}

test('what waits is bounded in bytes: beyond it items are dropped and reported', async () => {
  const errors: MicroError[] = [];
  const { queue, seen, release } = heldQueue({ limitBytes: 10, onError: (error) => void errors.push(error) });
  for (const item of ['aaaa', 'bbbb', 'cccccccc', 'd', 'e']) queue.push(item);
  // One item may go beyond.
  expect(queue.bytes).toBe(16);
  release();
  await queue.finish({}, 1000);
  expect(seen).toEqual(['aaaa', 'bbbb', 'cccccccc']);
  expect(queue.bytes).toBe(0);
  expect(errors.map(({ code }) => code)).toEqual(['unavailable', 'unavailable']);
  expect(errors[0]?.message).toContain('as 16 bytes were waiting already');
});

test('what several queues hold together is bounded, and one that holds little has room all the same', async () => {
  const total = { limit: 1000, used: 0 };
  const greedy = heldQueue({ limitBytes: 6400, total });
  const modest = heldQueue({ limitBytes: 6400, total });
  for (let count = 0; count < 20; count++) greedy.queue.push('x'.repeat(100));
  expect(total.used).toBe(1000);
  for (let count = 0; count < 20; count++) modest.queue.push('x'.repeat(60));
  // A 64th of its bound, and the item that went beyond it.
  expect(modest.queue.bytes).toBe(120);
  expect(total.used).toBe(1120);
  for (const { queue, release } of [greedy, modest]) {
    release();
    await queue.finish({}, 1000);
  }
  expect(total.used).toBe(0);
});

test('what is forgotten at the end, or taken back, is given back to the bound as well', async () => {
  const total = { limit: 1000, used: 0 };
  const forgotten = heldQueue({ total });
  const takenBack = heldQueue({ total });
  for (const { queue } of [forgotten, takenBack]) for (const item of ['a', 'b', 'c']) queue.push(item);
  takenBack.queue.takeBack();
  expect(total.used).toBe(3);
  await Promise.resolve();
  await expect(forgotten.queue.finish({}, 1)).rejects.toMatchObject({ code: 'timeout' });
  expect(total.used).toBe(0);
  for (const { release } of [forgotten, takenBack]) release();
});

test('items that come while very many wait are detached from the memory they came in', async () => {
  let detached = 0;
  const { queue, seen, release } = heldQueue({
    detach: (item) => {
      detached++;
      return `own ${item}`;
    },
    bytesOf: () => 1,
  });
  for (let count = 0; count < 1030; count++) queue.push('a');
  expect(detached).toBe(6);
  release();
  await queue.finish({}, 1000);
  expect(seen.filter((topic) => topic === 'own a')).toHaveLength(6);
});
