import { type AbortOptions, MicroError } from '@ts-micro/core';
import { ClosableBase } from '@ts-micro/kit';
import { expect, test } from 'vitest';

class Tap extends ClosableBase {
  readonly released: (AbortOptions | undefined)[] = [];

  constructor() {
    super('tap');
  }

  drip(): void {
    this.lifetime.assertOpen();
  }

  burst(): Promise<void> {
    return this.lifetime.fail(new MicroError('unavailable', 'tap: the pipe is broken'));
  }

  protected release(options: AbortOptions): void {
    this.released.push(options);
  }
}

test('what extends it releases once, whoever closes it, and refuses with `closed` after that', async () => {
  const { signal } = new AbortController();
  const tap = new Tap();
  tap.drip();
  await Promise.all([tap.close({ signal }), tap.close(), tap[Symbol.asyncDispose]()]);
  expect(tap.released).toEqual([{ signal }]);
  expect(await tap.closed).toBeUndefined();
  expect(() => tap.drip()).toThrow(expect.objectContaining({ code: 'closed', message: 'tap is closed' }));
});

test('what failed has closed with the cause', async () => {
  const tap = new Tap();
  await tap.burst();
  expect(await tap.closed).toMatchObject({ code: 'unavailable' });
  expect(tap.released).toHaveLength(1);
});
