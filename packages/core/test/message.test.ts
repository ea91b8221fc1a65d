import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { checkHeaders, checkMessage, type Message, MicroError } from '../src/index.ts';

function refusal(headers: Record<string, unknown>): MicroError | undefined {
  try {
    checkHeaders(headers as Record<string, string>, 'broker');
    return undefined;
  } catch (error) {
    if (MicroError.is(error, 'invalid')) return error;
    throw error;
  }
}

/** Headers with an own property of that name, which a literal `__proto__` would not be. */
function headersWith(name: string, value: unknown): Record<string, unknown> {
  return JSON.parse(JSON.stringify({ name: value }).replace('name', name));
}

test.each(['a', 'Micro-Id', "!#$%&'*+-.^_`|~", '0', 'constructor', 'toString', 'hasOwnProperty'])(
  'a name %j is a token',
  (name) => {
    expect(refusal({ [name]: 'value' })).toBeUndefined();
  },
);

test.each(['', ' ', 'a b', 'a:b', 'a\n', '\0', 'größe', 'a/b', '(a)', '"a"', '\u{1f600}'])(
  'a name %j is no token',
  (name) => {
    expect(refusal({ [name]: 'value' })?.message).toContain(`header name ${JSON.stringify(name)}`);
    expect(refusal({ [name]: 'value' })).toBeDefined();
  },
);

test.each(['', 'x', 'a b', 'a\tb', 'grüß', '\u{1f600}', '::', 'a\u0001b'])('a value %j is allowed', (value) => {
  expect(refusal({ name: value })).toBeUndefined();
});

test.each([' ', ' a', 'a ', '\ta', 'a\r', 'a\nb', 'a\r\nb: c', 'a\0b'])('a value %j is refused', (value) => {
  expect(refusal({ name: value })?.message).toMatch(/^broker: header "name" has a value with/);
});

test.each([undefined, null, 1, ['a'], {}])('a value that is no string (%j) is refused', (value) => {
  expect(refusal({ name: value })?.message).toContain('of type');
});

test('a name `__proto__` is checked like any other', () => {
  expect(refusal(headersWith('__proto__', 'value'))).toBeUndefined();
  expect(refusal(headersWith('__proto__', 'a\nb'))?.message).toContain('"__proto__"');
  expect(refusal(headersWith('__proto__', { nested: true }))?.message).toContain('of type object');
});

test('inherited properties are no headers', () => {
  expect(refusal(Object.create({ 'not a token': 1 }))).toBeUndefined();
});

test('a long bad name is cut in the message', () => {
  expect(refusal({ [`a b${'c'.repeat(500)}`]: 'value' })?.message.length).toBeLessThan(200);
});

test('more names than are remembered are still checked', () => {
  for (let index = 0; index < 2000; index++) expect(refusal({ [`name-${index}`]: 'value' })).toBeUndefined();
  expect(refusal({ 'name-1999': 'value' })).toBeUndefined();
  expect(refusal({ 'name 1999': 'value' })).toBeDefined();
});

test('a body may have as many bytes as are allowed, and not one more', () => {
  const body = new Uint8Array(3);
  checkMessage({ headers: {}, body }, 3, 'broker');
  expect(() => checkMessage({ headers: {}, body }, 2, 'broker')).toThrow(
    expect.objectContaining({ code: 'too_large', message: 'broker: a body of 3 bytes is more than 2' }),
  );
  expect(() => checkMessage({ headers: { 'a b': '' }, body }, 3, 'broker')).toThrow(/header name/);
});

test.each([
  ['undefined', undefined],
  ['null', null],
  ['a string', 'a'],
  ['a Map', new Map([['a', 'b']])],
  ['a list', [['a', 'b']]],
])('headers that are %s are refused', (_, headers) => {
  expect(refusal(headers as unknown as Record<string, unknown>)?.message).toContain('the headers are no object');
});

test.each([
  ['undefined', undefined],
  ['null', null],
  ['a string', 'text'],
  ['a list', [1, 2]],
  ['an ArrayBuffer', new ArrayBuffer(2)],
  ['a DataView', new DataView(new ArrayBuffer(2))],
  ['a Uint16Array', new Uint16Array(2)],
  ['like one', { length: 2, byteLength: 2 }],
])('a body that is %s is refused', (_, body) => {
  const check = () => checkMessage({ headers: {}, body: body as Uint8Array }, 10, 'broker');
  expect(check).toThrow('broker: the body is no Uint8Array');
  expect(check).toThrow(expect.objectContaining({ code: 'invalid' }));
});

test.each([
  ['a Buffer', Buffer.from('a')],
  ['bytes that are shared', new Uint8Array(new SharedArrayBuffer(2))],
  ['bytes of another realm', runInNewContext('new Uint8Array(2)')],
])('a body that is %s is allowed', (_, body) => {
  expect(() => checkMessage({ headers: {}, body }, 10, 'broker')).not.toThrow();
});

test.each([undefined, null, 'text'])('a message that is %j is refused', (message) => {
  expect(() => checkMessage(message as unknown as Message, 10, 'broker')).toThrow(
    expect.objectContaining({ code: 'invalid' }),
  );
});

test('an object that only says that it is bytes is refused', () => {
  const body = { [Symbol.toStringTag]: 'Uint8Array', byteLength: 2 } as unknown as Uint8Array;
  expect(() => checkMessage({ headers: {}, body }, 3, 'broker')).toThrow('broker: the body is no Uint8Array');
});

const boom = () => {
  throw new TypeError('boom');
};

test.each([
  ['a getter', Object.defineProperty({}, 'X-Tenant', { get: boom, enumerable: true })],
  ['a frozen getter', Object.freeze(Object.defineProperty({}, 'X-Tenant', { get: boom, enumerable: true }))],
  ['a proxy', new Proxy({ 'X-Tenant': 'a' }, { get: boom })],
])('a value that %s throws for is refused by its name', (_, headers) => {
  expect(refusal(headers)?.message).toBe('broker: header "X-Tenant" cannot be read: boom');
});

test.each([
  ['undefined', () => undefined],
  ['an error of ours', () => new MicroError('timeout', 'too late')],
  [
    'what cannot be described',
    () => ({
      get message() {
        return boom();
      },
    }),
  ],
])('a getter that throws %s is refused by its name', (_, thrown) => {
  const headers = {
    get name() {
      throw thrown();
    },
  };
  expect(refusal(headers)?.message).toMatch(/^broker: header "name" cannot be read: /);
});

test.each([
  ['its names', new Proxy({}, { ownKeys: boom })],
  ['what it has', new Proxy({}, { has: boom })],
  ['the names of its values', new Proxy({ a: 'b' }, { getOwnPropertyDescriptor: boom })],
  ['whether it may change', new Proxy({ a: 'b' }, { isExtensible: boom })],
  ['anything, as it was revoked', revoked()],
])('headers that do not tell %s are refused', (_, headers) => {
  expect(refusal(headers)?.message).toMatch(/^broker: the headers (are no object|cannot be read)/);
});

test.each([
  ['a symbol', Symbol('a'), 'symbol'],
  ['a bigint', 1n, 'bigint'],
  ['a function', () => 'a', 'function'],
  ['a String', new String('a'), 'object'],
  ['what has no text', { toString: boom }, 'object'],
])('a value that is %s is refused', (_, value, type) => {
  expect(refusal({ name: value })?.message).toBe(`broker: header "name" has a value of type ${type}`);
});

test.each(['headers', 'body'])('a message whose %s cannot be read is refused', (part) => {
  const message = { headers: {}, body: new Uint8Array(1) };
  Object.defineProperty(message, part, { get: boom });
  expect(() => checkMessage(message, 10, 'broker')).toThrow(
    new MicroError('invalid', 'broker: the message cannot be read: boom'),
  );
});

function revoked(): Record<string, unknown> {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
