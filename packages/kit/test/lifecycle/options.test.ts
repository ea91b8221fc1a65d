import { MicroError } from '@ts-micro/core';
import { describe, expect, test } from 'vitest';
import { OptionChecks } from '../../src/index.ts';

const checks = new OptionChecks('service');

describe('a list of functions', () => {
  test('is accepted, and so is an empty one', () => {
    expect(() => checks.functions('middleware', [])).not.toThrow();
    expect(() => checks.functions('middleware', [() => {}])).not.toThrow();
  });

  test.each([
    [5, 'service: option middleware is 5, not a list of functions'],
    [() => {}, 'service: option middleware is a function, not a list of functions'],
    [[() => {}, 5], 'service: option middleware[1] is 5, not a function'],
  ])('is not %j', (value, words) => {
    expect(() => checks.functions('middleware', value)).toThrow(words);
  });
});

describe('names and strings', () => {
  test('are accepted', () => {
    expect(() => checks.texts('metadata', { a: 'b' })).not.toThrow();
  });

  test.each([
    [null, 'service: option metadata is null, not an object of names and strings'],
    [new Map([['a', 'b']]), 'service: option metadata is an object, not an object of names and strings'],
    [{ a: 1 }, 'service: option metadata.a is 1, not a string'],
  ])('are not %j', (value, words) => {
    expect(() => checks.texts('metadata', value)).toThrow(words);
  });
});

describe('named options', () => {
  const names = { servers: ['url', 'address'], timeoutMs: true, name: true, maxMessageBytes: true } as const;

  test.each([
    {},
    { servers: 'a', timeoutMs: 1 },
    { server: undefined },
    { timeout: 1, timeoutMs: 2 },
    { transport: {}, url2000: 1, names: 1, maxQueuedBytes: 1 },
    Object.create({ server: 'inherited' }),
    Object.assign(Object.create(null), { servers: 'a' }),
  ])('may be few, and others beside them (%#)', (options) => {
    expect(() => checks.named(options, names)).not.toThrow();
  });

  test.each([
    [{ server: 'a' }, 'service: there is no option "server", and servers may be meant'],
    [{ adress: 'a' }, 'service: there is no option "adress", and servers may be meant'],
    [{ url: 'a' }, 'service: there is no option "url", and servers may be meant'],
    [{ timeout: 1 }, 'service: there is no option "timeout", and timeoutMs may be meant'],
    [{ timeout_ms: 1 }, 'service: there is no option "timeout_ms", and timeoutMs may be meant'],
    [{ Name: 'a' }, 'service: there is no option "Name", and name may be meant'],
    [{ maxMesageByte: 1 }, 'service: there is no option "maxMesageByte", and maxMessageBytes may be meant'],
    [null, 'service: the options are null, not an object'],
    ['127.0.0.1', 'service: the options are "127.0.0.1", not an object'],
  ])('are not %j', (options, words) => {
    expect(() => checks.named(options, names)).toThrow(new MicroError('invalid', words));
  });
});
