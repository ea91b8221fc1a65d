import { MicroError } from '@ts-micro/core';
import { Lifetime } from '@ts-micro/kit';
import { expect, test } from 'vitest';
import { record } from '../src/record.ts';
import { Trace } from '../src/trace.ts';

class Child {
  readonly #lifetime = new Lifetime('child', () => {});
  readonly closed = this.#lifetime.closed;
  close() {
    return this.#lifetime.close();
  }
  async receive() {
    return { headers: {}, body: new Uint8Array(40) };
  }
}

class Parent {
  readonly #name = 'parent';
  get name() {
    return this.#name;
  }
  async dial(address: string, options?: object) {
    if (address === '') throw new MicroError('invalid', 'the address is empty');
    return options ? new Child() : new Child();
  }
  accept(handler: (child: Child) => string) {
    return handler(new Child());
  }
}

function lines(trace: Trace): string[] {
  return trace.lines().map((line) => line.replace(/^ *[\d.]+ ms {2}/, ''));
}

test('calls, what comes of them and what they open are written down', async () => {
  const trace = new Trace();
  const parent = record(new Parent(), 'parent1', trace);
  const child = await parent.dial('here', { signal: AbortSignal.abort() });
  await child.receive();
  expect(await parent.dial('').catch((error: unknown) => MicroError.is(error, 'invalid'))).toBe(true);
  expect(parent.accept((accepted) => (accepted instanceof Child ? 'handled' : 'not'))).toBe('handled');
  expect(parent.name).toBe('parent');
  expect(lines(trace)).toEqual([
    'parent1.dial("here", {"signal":"aborted signal"})',
    'parent1.dial -> parent1.dial1',
    'parent1.dial1.receive()',
    `parent1.dial1.receive -> {"headers":{},"body":"40 bytes ${'\\u0000'.repeat(32)}..."}`,
    'parent1.dial("")',
    'parent1.dial rejects invalid: the address is empty',
    'parent1.accept(handler)',
    'parent1.accept <- a socket',
    'parent1.accept -> "handled"',
  ]);
});

test('a long trace keeps its beginning and its end', () => {
  const trace = new Trace();
  for (let index = 0; index < 1000; index++) trace.add(`line ${index}`);
  const kept = lines(trace);
  expect(kept).toHaveLength(201);
  expect([kept[0], kept[39], kept[40]?.trim(), kept[41], kept.at(-1)]).toEqual([
    'line 0',
    'line 39',
    '... 800 lines left out ...',
    'line 840',
    'line 999',
  ]);
});
