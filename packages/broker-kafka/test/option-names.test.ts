import { expect, it } from 'vitest';
import { kafkaBroker } from '../src/index.ts';

it('the factory says which option is meant by a slip, and takes no text for its options', () => {
  expect(() => kafkaBroker({ keyHeaders: 1 } as object)).toThrow(', and keyHeader may be meant');
  expect(() => kafkaBroker('127.0.0.1' as never)).toThrow('the options are "127.0.0.1", not an object');
});
