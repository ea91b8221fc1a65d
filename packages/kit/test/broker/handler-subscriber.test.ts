import { type BrokerEvent, MicroError } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { HandlerSubscriber, type HandlerSubscriberOptions } from '../../src/index.ts';

const event = (topic: string): BrokerEvent => ({ topic, message: { headers: {}, body: new Uint8Array() } });

function subscriberOf(options: Partial<HandlerSubscriberOptions<string>>): HandlerSubscriber<string> {
  return new HandlerSubscriber({
    what: 'test subscriber',
    topic: 'a.*',
    handler: () => {},
    eventOf: event,
    stop: () => {},
    ...options,
  });
}

test('what comes in until the backend has stopped is handled, and nothing after it', async () => {
  const seen: string[] = [];
  const subscriber: HandlerSubscriber<string> = subscriberOf({
    handler: ({ topic }) => void seen.push(topic),
    async stop() {
      subscriber.push('while stopping');
    },
  });
  subscriber.push('before');
  await subscriber.close();
  subscriber.push('after');
  await Promise.resolve();
  expect(seen).toEqual(['before', 'while stopping']);
});

test('a stop that fails ends it all the same', async () => {
  for (const stop of [() => Promise.reject(new Error('no connection')), () => expect.fail('no connection')]) {
    const subscriber = subscriberOf({ stop });
    await subscriber.close();
    expect(await subscriber.closed).toBeUndefined();
  }
});

test('a stop that never settles and handlers share one bound', async () => {
  const never = () => new Promise<void>(() => {});
  const subscriber = subscriberOf({ handler: never, stop: never, closeTimeoutMs: 50 });
  subscriber.push('a');
  await subscriber.close();
  expect(await subscriber.closed).toMatchObject({ code: 'timeout' });
});

test('what the backend ended it with is what it is closed with', async () => {
  const cause = new MicroError('unauthorized', 'test: not yours');
  const subscriber = subscriberOf({ queue: 'workers' });
  await subscriber.fail(cause);
  expect(await subscriber.closed).toBe(cause);
  expect(subscriber).toMatchObject({ topic: 'a.*', queue: 'workers' });
});
