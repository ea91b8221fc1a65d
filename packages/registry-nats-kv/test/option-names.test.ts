import { expect, it } from 'vitest';
import { natsKvRegistry } from '../src/index.ts';

it('the factory says which option is meant by a slip, and takes no text for its options', () => {
  expect(() => natsKvRegistry({ buckets: 'a' } as object)).toThrow(', and bucket may be meant');
  expect(() => natsKvRegistry('127.0.0.1' as never)).toThrow('the options are "127.0.0.1", not an object');
});
