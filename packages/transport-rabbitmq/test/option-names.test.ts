import { expect, it } from 'vitest';
import { rabbitmqTransport } from '../src/index.ts';

it('the factory says which option is meant by a slip, and takes no text for its options', () => {
  expect(() => rabbitmqTransport({ server: 'a' } as object)).toThrow(', and servers may be meant');
  expect(() => rabbitmqTransport('127.0.0.1' as never)).toThrow('the options are "127.0.0.1", not an object');
});
