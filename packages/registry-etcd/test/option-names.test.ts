import { expect, it } from 'vitest';
import { etcdRegistry } from '../src/index.ts';

it('the factory says which option is meant by a slip, and takes no text for its options', () => {
  expect(() => etcdRegistry({ prefixes: 'a' } as object)).toThrow(', and prefix may be meant');
  expect(() => etcdRegistry('127.0.0.1' as never)).toThrow('the options are "127.0.0.1", not an object');
});
