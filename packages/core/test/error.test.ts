import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { MicroError } from '../src/index.ts';

test('an error carries its code, message and name, and nothing else by default', () => {
  const error = new MicroError('not_found', 'registry: no such thing');
  expect(error).toMatchObject({ code: 'not_found', message: 'registry: no such thing', name: 'MicroError' });
  expect(error).toMatchObject({ retrySafe: false, remote: undefined });
  expect(error).toBeInstanceOf(Error);
  expect('cause' in error).toBe(false);
});

test('an error carries its cause, what a peer said and whether a retry is safe', () => {
  const cause = new Error('why');
  const remote = { id: 'greeter', code: 404, detail: 'nobody', status: 'Not Found' };
  const error = new MicroError('remote', 'client: greeter answered', { cause, remote, retrySafe: true });
  expect(error.cause).toBe(cause);
  expect(error.remote).toBe(remote);
  expect(error.retrySafe).toBe(true);
});

test('a cause that is undefined is kept as one', () => {
  expect('cause' in new MicroError('internal', 'thrown', { cause: undefined })).toBe(true);
});

test('an error is told by its code', () => {
  const error: unknown = new MicroError('timeout', 'late');
  expect(MicroError.is(error)).toBe(true);
  expect(MicroError.is(error, 'timeout')).toBe(true);
  expect(MicroError.is(error, 'canceled')).toBe(false);
});

test.each([
  ['undefined', undefined],
  ['null', null],
  ['a string', 'timeout'],
  ['another error', new Error('timeout')],
  ['an object that looks like one', { name: 'MicroError', code: 'timeout', message: 'late' }],
])('%s is no MicroError', (_, value) => {
  expect(MicroError.is(value)).toBe(false);
});

test('an error of another copy of the package is recognised', async () => {
  vi.resetModules();
  const copy = await import('../src/index.ts');
  const theirs: unknown = new copy.MicroError('conflict', 'taken');
  expect(copy.MicroError).not.toBe(MicroError);
  expect(theirs).not.toBeInstanceOf(MicroError);
  expect(MicroError.is(theirs, 'conflict')).toBe(true);
  expect(MicroError.from(theirs, 'internal', 'here')).toBe(theirs);
});

test('from keeps a MicroError and wraps anything else with what it was', () => {
  const error = new MicroError('closed', 'closed');
  expect(MicroError.from(error, 'internal', 'broker')).toBe(error);

  const thrown = new TypeError('x is undefined');
  const wrapped = MicroError.from(thrown, 'internal', 'broker: handler');
  expect(wrapped).toMatchObject({ code: 'internal', message: 'broker: handler: x is undefined', cause: thrown });

  expect(MicroError.from('text', 'malformed', 'decode')).toMatchObject({ message: 'decode: text', cause: 'text' });
});

const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const hostile = {
  get message(): string {
    throw new Error('no');
  },
};

test.each([
  ['a string', 'boom', 'boom'],
  ['an error', new Error('boom'), 'boom'],
  ['an error of another realm', runInNewContext("new TypeError('boom')"), 'boom'],
  ['a message that is a bigint', { message: 5n }, '5'],
  ['undefined', undefined, 'undefined'],
  ['a symbol', Symbol('boom'), 'Symbol(boom)'],
  ['a getter that throws', hostile, 'something that cannot be described'],
  ['a revoked proxy', revoked(), 'something that cannot be described'],
  ['an object without a prototype', Object.create(null), 'something that cannot be described'],
])('the words of %s', (_, thrown, text) => {
  expect(MicroError.textOf(thrown)).toBe(text);
  expect(MicroError.is(thrown)).toBe(false);
  expect(MicroError.from(thrown, 'internal', 'service')).toMatchObject({
    code: 'internal',
    message: `service: ${text}`,
  });
});
