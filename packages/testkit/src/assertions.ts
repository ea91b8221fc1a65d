import assert from 'node:assert/strict';
import { type ErrorCode, type Message, MicroError } from '@ts-micro/core';

/** The `MicroError` with one of these codes that `promise` rejects with; anything else fails. */
export async function rejection(promise: Promise<unknown>, what: string, ...codes: ErrorCode[]): Promise<MicroError> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    assertError(error, what, ...codes);
    return error;
  }
  assert.fail(`${what}: resolved with ${JSON.stringify(value)} where it must reject with ${codes.join(' or ')}`);
}

/** Fails unless `error` is a `MicroError` with one of these codes. */
export function assertError(error: unknown, what: string, ...codes: ErrorCode[]): asserts error is MicroError {
  if (MicroError.is(error) && codes.includes(error.code)) return;
  if (error instanceof Error && !MicroError.is(error) && /still waiting after/.test(error.message)) throw error;
  const got = MicroError.is(error) ? `${error.code} (${error.message})` : String(error);
  assert.fail(`${what}: rejected with ${got} where it must be ${codes.join(' or ')}`);
}

/** A message that the kit's own code cannot change by mistake, and the backend cannot write its headers into. */
export function message(body: string | Uint8Array, headers: Record<string, string> = {}): Message {
  return Object.freeze({
    headers: Object.freeze(headers),
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
  });
}

export function textOf(received: Message | undefined): string {
  assert.ok(received, 'the stream ended where a message was to come');
  return new TextDecoder().decode(received.body);
}

/** Fails unless headers and bytes are the same. */
export function assertMessage(actual: Message | undefined, expected: Message, what: string): void {
  assert.ok(actual, `${what}: nothing came`);
  assert.deepEqual(headerPairs(actual), headerPairs(expected), `${what}: the headers are not the same`);
  assert.ok(actual.body instanceof Uint8Array, `${what}: the body is no Uint8Array`);
  if (Buffer.compare(actual.body, expected.body) === 0) return;
  const at = expected.body.findIndex((byte, index) => byte !== actual.body[index]);
  assert.fail(
    `${what}: the body differs: ${actual.body.length} bytes for ${expected.body.length}, first at ${at === -1 ? expected.body.length : at}`,
  );
}

// As pairs, because `__proto__` and `constructor` are names like others.
function headerPairs({ headers }: Message): [string, string][] {
  return Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** `0`, `1`, ... as texts, to number a burst. */
export function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

/** Fails naming the first place where a numbered burst was lost, repeated or out of order. */
export function assertSequence(actual: readonly string[], expected: readonly string[], what: string): void {
  for (const [index, text] of expected.entries()) {
    if (actual[index] !== text)
      assert.fail(
        `${what}: number ${index} is ${JSON.stringify(actual[index])} where ${JSON.stringify(text)} was to come`,
      );
  }
  assert.equal(actual.length, expected.length, `${what}: more came than was sent: ${actual[expected.length]}`);
}
