import { expect, it } from 'vitest';
import { jetstreamBroker } from '../src/index.ts';

it('the factory says which option is meant by a slip, and takes no text for its options', () => {
  expect(() => jetstreamBroker({ ackWait: 1 } as object)).toThrow(', and ackWaitMs may be meant');
  expect(() => jetstreamBroker('127.0.0.1' as never)).toThrow('the options are "127.0.0.1", not an object');
});
