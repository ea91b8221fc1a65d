import { MicroError } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import { errorOfThrown, formatError, parseError, remoteError, shortenError } from '../../src/rpc/error-text.ts';
import { goldenErrorTexts } from './golden.ts';

describe('an error text', () => {
  it.each(goldenErrorTexts)('is read and written as Go does: %s', (text) => {
    expect(formatError(parseError(text))).toBe(text);
  });

  it('takes the phrase of its code', () => {
    expect(remoteError('a', 413, 'b').status).toBe('Request Entity Too Large');
    expect(remoteError('a', 499, 'b').status).toBe('');
  });

  it('leaves out what is empty', () => {
    expect(formatError({ id: '', code: 0, detail: 'x', status: '' })).toBe('{"detail":"x"}');
  });

  it.each(['plain', 'null', '{}', '{"other":1}', '[1]', '7', '{broken', '{"code":"404"}', '{"status":"Not Found"}'])(
    'that says nothing as JSON is the detail as a whole: %s',
    (text) => {
      expect(parseError(text)).toEqual({ id: '', code: 0, detail: text, status: '' });
    },
  );

  it('of version 1.18 has all four fields', () => {
    const text = '{"id":"a","code":404,"detail":"","status":"Not Found"}';
    expect(parseError(text)).toEqual({ id: 'a', code: 404, detail: '', status: 'Not Found' });
  });
});

describe('what a handler threw', () => {
  it('goes out as it is where it carries the words of a peer', () => {
    const remote = { id: 'other', code: 409, detail: 'taken', status: 'Conflict' };
    expect(errorOfThrown(new MicroError('remote', 'm', { remote }), 'greeter')).toEqual(remote);
  });

  it('goes out by its code where it is a MicroError', () => {
    const error = errorOfThrown(new MicroError('not_found', 'no user "bob"'), 'greeter');
    expect(error).toEqual({ id: 'greeter', code: 404, detail: 'no user "bob"', status: 'Not Found' });
  });

  it('goes out as 500 with its message and nothing else of it', () => {
    const error = new Error('boom', { cause: new Error('secret') });
    expect(errorOfThrown(error, 'greeter')).toEqual({
      id: 'greeter',
      code: 500,
      detail: 'boom',
      status: 'Internal Server Error',
    });
  });

  it('never goes out without a text', () => {
    for (const thrown of [new Error(''), '', undefined, null, 7, {}])
      expect(errorOfThrown(thrown, 'greeter')).toMatchObject({ code: 500, detail: 'the handler failed' });
  });
});

it('an error too large to carry keeps its id and code and loses words', () => {
  const text = formatError({ id: 'greeter', code: 404, detail: 'x'.repeat(100_000), status: 'Not Found' });
  const shortened = shortenError(text);
  expect(shortened.length).toBeLessThan(5000);
  expect(parseError(shortened)).toEqual({
    id: 'greeter',
    code: 404,
    detail: `${'x'.repeat(1000)}...`,
    status: 'Not Found',
  });
});
