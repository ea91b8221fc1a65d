import { MicroError } from '@ts-micro/core';
import { checkDecoder, drawMalformed } from '@ts-micro-tools/malformed';
import { expect, test } from 'vitest';

const samples = [Buffer.from('{"name":"John"}')];
const text = (payload: Uint8Array) => Buffer.from(payload).toString();

test('a decoder that throws anything but the errors allowed is found out, with the seed', () => {
  const act = () => checkDecoder((payload) => JSON.parse(text(payload)), { samples, seed: 7 });
  expect(act).toThrow(/seed: 7/);
  const refuse = () => {
    throw new MicroError('internal', 'no');
  };
  expect(() => checkDecoder(refuse, { samples })).toThrow();
  checkDecoder(refuse, { samples, codes: ['internal'] });
});

test('an error that repeats the payload is found out, also as a cause', () => {
  const refuse = (payload: Uint8Array) => {
    throw new MicroError('malformed', 'no', { cause: new Error(text(payload)) });
  };
  expect(() => checkDecoder(refuse, { samples })).toThrow();
});

test('a prototype made of the payload is found out', () => {
  const decode = (payload: Uint8Array) => {
    try {
      return [Object.assign({}, JSON.parse(text(payload)))];
    } catch {
      return undefined;
    }
  };
  expect(() => checkDecoder(decode, { samples })).toThrow();
});

test('with the same seed messages are the same', () => {
  const draw = (seed: number) => drawMalformed(samples, { count: 50, seed });
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});
