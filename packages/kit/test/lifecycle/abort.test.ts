import { getEventListeners } from 'node:events';
import { abortError, MicroError } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { abortable, abortFanOut, closeOptions, nativeSignal, throwIfAborted } from '../../src/index.ts';

const never = new Promise<never>(() => {});
const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

test('an abort is a `canceled` with the reason as cause', () => {
  const reason = new Error('enough');
  expect(abortError(AbortSignal.abort(reason), 'socket')).toMatchObject({
    code: 'canceled',
    message: 'socket: canceled',
    cause: reason,
  });
});

test('an abort without a reason is a `canceled`', () => {
  expect(abortError(AbortSignal.abort(), 'socket')).toMatchObject({ code: 'canceled', cause: { name: 'AbortError' } });
});

test('a deadline is a `timeout`', async () => {
  const signal = AbortSignal.timeout(1);
  await expect(abortable(never, signal, 'socket')).rejects.toMatchObject({
    code: 'timeout',
    message: 'socket: timed out',
    cause: { name: 'TimeoutError' },
  });
});

test.each(['timeout', 'canceled'] as const)('a reason that is a `%s` already is the error itself', (code) => {
  const reason = new MicroError(code, 'call: over');
  expect(abortError(AbortSignal.abort(reason), 'socket')).toBe(reason);
});

test('a reason with another code is a cause like any other', () => {
  const reason = new MicroError('closed', 'client is closed');
  expect(abortError(AbortSignal.abort(reason), 'socket')).toMatchObject({ code: 'canceled', cause: reason });
});

test('throwIfAborted throws only once the signal is aborted', () => {
  expect(() => throwIfAborted(undefined, 'socket')).not.toThrow();
  expect(() => throwIfAborted(new AbortController().signal, 'socket')).not.toThrow();
  expect(() => throwIfAborted(AbortSignal.abort(), 'socket')).toThrow(expect.objectContaining({ code: 'canceled' }));
});

test('an abortable promise without a signal is the promise itself', () => {
  expect(abortable(never, undefined, 'socket')).toBe(never);
});

test('an abortable wait that ends leaves no listener behind', async () => {
  const { signal } = new AbortController();
  await expect(abortable(Promise.resolve(7), signal, 'socket')).resolves.toBe(7);
  await expect(abortable(Promise.reject(new Error('no')), signal, 'socket')).rejects.toThrow('no');
  expect(listenersOf(signal)).toBe(0);
});

test('an abort ends the wait and leaves no listener behind', async () => {
  const controller = new AbortController();
  const waiting = abortable(never, controller.signal, 'socket');
  expect(listenersOf(controller.signal)).toBe(1);
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toMatchObject({ code: 'canceled', cause: { message: 'enough' } });
  expect(listenersOf(controller.signal)).toBe(0);
});

test('a signal aborted before refuses even what is there', async () => {
  await expect(abortable(Promise.resolve(7), AbortSignal.abort(), 'socket')).rejects.toMatchObject({
    code: 'canceled',
  });
});

test('a promise that rejects after the abort goes unheard', async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', onUnhandled);
  try {
    const fails: ((error: Error) => void)[] = [];
    const late = () => new Promise<never>((_, reject) => fails.push(reject));
    const controller = new AbortController();
    const waits = [abortable(late(), controller.signal, 'a'), abortable(late(), AbortSignal.abort(), 'b')];
    controller.abort();
    await Promise.allSettled(waits);
    for (const fail of fails) fail(new Error('too late'));
    // Node reports what nobody handled before it comes to the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
});

test('what is no signal is refused, and a promise that rejects then goes unheard', async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', onUnhandled);
  const thrower = () => {
    throw new Error('trap');
  };
  try {
    for (const signal of [{}, null, 5, new Proxy({}, { get: thrower })]) {
      const fails: ((error: Error) => void)[] = [];
      const promise = new Promise<never>((_, reject) => fails.push(reject));
      const waiting = abortable(promise, signal as AbortSignal, 'nats: connecting');
      await expect(waiting).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('signal') });
      fails[0]?.(new Error('too late'));
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
});

/** A signal of a package or of another realm, which `AbortSignal.any` does not take. */
class ForeignSignal extends EventTarget {
  aborted = false;
  reason: unknown;

  abort(reason: unknown): void {
    this.aborted = true;
    this.reason = reason;
    this.dispatchEvent(new Event('abort'));
  }
}

test.each([5, {}, 'signal', null])('a signal that is %j is refused with `invalid`', (signal) => {
  expect(() => throwIfAborted(signal as never, 'socket')).toThrow(
    expect.objectContaining({ code: 'invalid', message: 'socket: option signal is not an AbortSignal' }),
  );
});

test.each([5, {}, 'signal', null])('a close leaves a signal out that is %j', (signal) => {
  expect(closeOptions({ signal } as never)).toEqual({});
});

test('a signal of another realm is followed by one of this', () => {
  const foreign = new ForeignSignal();
  const { signal } = closeOptions({ signal: foreign as never });
  expect(AbortSignal.any([signal as AbortSignal]).aborted).toBe(false);
  foreign.abort('enough');
  expect(signal).toMatchObject({ aborted: true, reason: 'enough' });
  expect(nativeSignal(foreign as never)).toMatchObject({ aborted: true, reason: 'enough' });
});

test.each(['addEventListener', 'removeEventListener'])(
  'a signal whose %s throws ends no wait and keeps nothing',
  async (method) => {
    const before = abortFanOut.size;
    const signal = Object.assign(new EventTarget(), { aborted: false }) as unknown as AbortSignal;
    Object.defineProperty(signal, method, {
      value: () => {
        throw new TypeError('no');
      },
    });
    await expect(abortable(Promise.resolve(7), signal, 'socket')).resolves.toBe(7);
    expect(abortFanOut.size).toBe(before);
    expect(nativeSignal(signal).aborted).toBe(false);
  },
);

test('a signal that calls its listeners with nothing ends a wait', async () => {
  let tell: () => void = () => {};
  const reason = new Error('enough');
  const signal = {
    aborted: false,
    reason,
    addEventListener(_type: string, listener: () => void) {
      tell = listener;
    },
    removeEventListener() {},
  };
  const waiting = abortable(never, signal as unknown as AbortSignal, 'socket');
  tell();
  await expect(waiting).rejects.toMatchObject({ code: 'canceled', cause: reason });
});
