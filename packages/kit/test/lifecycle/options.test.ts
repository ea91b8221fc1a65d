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
