import { type AbortOptions, MicroError } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { Lifetime } from '../../src/index.ts';

/** A promise, and what settles it. */
function gate(): { promise: Promise<void>; open: () => void } {
  let open: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

test('closing releases once, and every close waits for it', async () => {
  const { promise, open } = gate();
  const released: AbortOptions[] = [];
  const lifetime = new Lifetime('thing', (options) => {
    released.push(options);
    return promise;
  });
  expect(lifetime.isOpen).toBe(true);

  const { signal } = new AbortController();
  const first = lifetime.close({ signal });
  expect(lifetime.isOpen).toBe(false);
  expect(lifetime.close()).toBe(first);
  expect(released).toEqual([{ signal }]);

  let isClosed = false;
  void lifetime.closed.then(() => {
    isClosed = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isClosed).toBe(false);
  open();
  await first;
  expect(await lifetime.closed).toBeUndefined();
});

test('closed resolves alike when asked before, while and after closing', async () => {
  const cause = new MicroError('unavailable', 'gone');
  const { promise, open } = gate();
  const asked = new Lifetime('thing', () => promise);
  const before = asked.closed;
  const ending = asked.fail(cause);
  const during = asked.closed;
  open();
  await ending;
  expect(await Promise.all([before, during, asked.closed])).toEqual([cause, cause, cause]);

  const unasked = new Lifetime('thing', () => {});
  await unasked.fail(cause);
  expect(await unasked.closed).toBe(cause);
});

test('what fails it first is the cause, whatever ends it after that', async () => {
  const cause = new MicroError('unavailable', 'gone');
  const lifetime = new Lifetime('thing', () => {});
  const failing = lifetime.fail(cause);
  expect(lifetime.cause).toBe(cause);
  expect(lifetime.close()).toBe(failing);
  void lifetime.fail(new MicroError('internal', 'later'));
  expect(await lifetime.closed).toBe(cause);
});

test('a failure after a plain close changes nothing', async () => {
  const lifetime = new Lifetime('thing', () => {});
  await lifetime.close();
  await lifetime.fail(new MicroError('internal', 'later'));
  expect(await lifetime.closed).toBeUndefined();
});

test('a release that throws ends closing all the same, and is the cause', async () => {
  const thrown = new Error('stuck');
  const sync = new Lifetime('thing', () => {
    throw thrown;
  });
  await expect(sync.close()).resolves.toBeUndefined();
  expect(await sync.closed).toMatchObject({ code: 'internal', message: 'thing: closing failed: stuck', cause: thrown });

  const abandoned = new MicroError('timeout', 'thing: handlers are still running');
  const late = new Lifetime('thing', () => Promise.reject(abandoned));
  const before = late.closed;
  await expect(late.close()).resolves.toBeUndefined();
  expect(await before).toBe(abandoned);
});

test('what failed it stays the cause when its release throws too', async () => {
  const cause = new MicroError('unavailable', 'gone');
  const lifetime = new Lifetime('thing', () => Promise.reject(new Error('stuck')));
  await lifetime.fail(cause);
  expect(await lifetime.closed).toBe(cause);
});

test('a release may close again', async () => {
  let releases = 0;
  const lifetime: Lifetime = new Lifetime('thing', () => {
    releases++;
    void lifetime.close();
  });
  await lifetime.close();
  expect(releases).toBe(1);
});

test('methods are let through while open and refused from the first close on', async () => {
  const { promise, open } = gate();
  const lifetime = new Lifetime('thing', () => promise);
  expect(() => lifetime.assertOpen()).not.toThrow();
  expect(() => lifetime.assertOpen({ signal: AbortSignal.abort() })).toThrow(
    expect.objectContaining({ code: 'canceled', message: 'thing: canceled' }),
  );
  const closing = lifetime.close();
  expect(() => lifetime.assertOpen({ signal: AbortSignal.abort() })).toThrow(
    expect.objectContaining({ code: 'closed', message: 'thing is closed' }),
  );
  open();
  await closing;
});

test('the closed error has as its cause what ended the thing', () => {
  const cause = new MicroError('unavailable', 'gone');
  const lifetime = new Lifetime('thing', () => {});
  expect('cause' in lifetime.closedError()).toBe(false);
  void lifetime.fail(cause);
  expect(lifetime.closedError()).toMatchObject({ code: 'closed', cause });
});
