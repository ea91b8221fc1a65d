import { type AbortOptions, MicroError } from '@ts-micro/core';
import { BrokerBase, HandlerSubscriber } from '@ts-micro/kit';
import { expect, test, vi } from 'vitest';

/** A broker that notes what it is asked for. */
class NotingBroker extends BrokerBase {
  readonly asked: string[] = [];
  publishing: Promise<unknown> | undefined;
  dialling: Promise<unknown> | undefined;

  constructor() {
    super('noting broker');
  }

  protected async dial(): Promise<void> {
    this.asked.push('dial');
    await this.dialling;
  }

  protected async finishPublishing(): Promise<void> {
    this.asked.push('finish');
    await this.publishing;
  }

  protected hangUp(): void {
    this.asked.push('hang up');
  }

  publish(text: string, options?: AbortOptions): void {
    this.assertMayPublish(options);
    this.asked.push(text);
  }

  subscribe(handler: () => void | Promise<void>, start: () => unknown = () => {}, closeTimeoutMs = 10_000) {
    this.assertUsable(undefined);
    const eventOf = (topic: string) => ({ topic, message: { headers: {}, body: new Uint8Array() } });
    const stop = () => this.asked.push('stop');
    const what = 'noting broker: subscriber of "a"';
    return this.keep(new HandlerSubscriber({ what, topic: 'a', handler, eventOf, stop, closeTimeoutMs }), start, {});
  }
}

const nothing = () => {};

class AskingBroker extends NotingBroker {
  ask(options: object): void {
    this.assertMaySubscribe(options, { from: true });
  }
}

test('a close ends subscribers first, then publishing, then the connection', async () => {
  const broker = new NotingBroker();
  const subscriber = await broker.subscribe(nothing);
  await broker.close();
  expect(broker.asked).toEqual(['stop', 'finish', 'hang up']);
  expect(await subscriber.closed).toBeUndefined();
  expect(await broker.closed).toBeUndefined();
  expect(() => broker.publish('late')).toThrow(expect.objectContaining({ code: 'closed' }));
  await expect(broker.connect()).rejects.toMatchObject({ code: 'closed' });
});

test('handlers may publish until the last of them has returned', async () => {
  const broker = new NotingBroker();
  let finish: () => void = nothing;
  const handling = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const subscriber = await broker.subscribe(async () => {
    await handling;
    broker.publish('last words');
  });
  subscriber.push('a');
  await Promise.resolve();
  const closing = broker.close();
  expect(() => broker.publish('aborted', { signal: AbortSignal.abort() })).toThrow('noting broker');
  finish();
  await closing;
  expect(broker.asked).toEqual(['stop', 'last words', 'finish', 'hang up']);
});

test('it disconnects for a while: until it connects again it refuses what may be tried again', async () => {
  const broker = new NotingBroker();
  const subscriber = await broker.subscribe(nothing);
  await broker.disconnect();
  await subscriber.closed;
  const refusal = expect.objectContaining({ code: 'unavailable', retrySafe: true });
  expect(() => broker.publish('nobody')).toThrow(refusal);
  expect(() => broker.subscribe(nothing)).toThrow(refusal);
  await broker.connect();
  broker.publish('again');
  await (await broker.subscribe(nothing)).close();
  await broker.close();
  const ended = ['finish', 'hang up'];
  expect(broker.asked).toEqual(['stop', ...ended, 'dial', 'again', 'stop', ...ended]);
});

test('a connect during a disconnect waits for it, and no longer than its signal', async () => {
  const broker = new NotingBroker();
  let finish: () => void = nothing;
  broker.publishing = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const leaving = broker.disconnect();
  await vi.waitFor(() => expect(broker.asked).toEqual(['finish']));
  const impatient = new AbortController();
  const first = broker.connect({ signal: impatient.signal });
  const second = broker.connect();
  impatient.abort();
  await expect(first).rejects.toMatchObject({ code: 'canceled' });
  expect(broker.asked).toEqual(['finish']);
  finish();
  await Promise.all([leaving, second]);
  expect(broker.asked).toEqual(['finish', 'hang up', 'dial']);
  broker.publish('here');
  await broker.close();
});

test('a close during a connect wins', async () => {
  const broker = new NotingBroker();
  let dialled: () => void = nothing;
  broker.dialling = new Promise<void>((resolve) => {
    dialled = resolve;
  });
  const connecting = broker.connect();
  await broker.close();
  dialled();
  await expect(connecting).rejects.toMatchObject({ code: 'closed' });
});

test('a subscriber that cannot start is closed, and the others go on', async () => {
  const broker = new NotingBroker();
  const refuse = () => Promise.reject(new Error('not here'));
  await expect(broker.subscribe(nothing, refuse)).rejects.toThrow('not here');
  expect(broker.asked).toEqual(['stop']);
  await broker.subscribe(nothing);
  await broker.close();
  expect(broker.asked).toEqual(['stop', 'stop', 'finish', 'hang up']);
});

test('what a handler was abandoned for is why the broker has closed, and all is given back', async () => {
  const broker = new NotingBroker();
  const subscriber = await broker.subscribe(() => new Promise(nothing), nothing, 1);
  subscriber.push('a');
  await Promise.resolve();
  await broker.close();
  expect(await broker.closed).toMatchObject({ code: 'timeout' });
  expect(broker.asked).toEqual(['stop', 'finish', 'hang up']);
});

test.each([
  [{ group: 'a' }, 'there is no option "group", and queue may be meant'],
  [{ concurency: 1 }, 'there is no option "concurency", and concurrency may be meant'],
  [{ onerror: nothing }, 'there is no option "onerror", and onError may be meant'],
  [{ queue: 5 }, 'option queue is 5, not a text'],
  [{ concurrency: '2' }, 'option concurrency is "2", not a whole number from 1'],
  [{ onLost: {} }, 'option onLost is an object, not a function'],
  [{ durable: 'yes' }, 'option durable is "yes", not true or false'],
  [{ redelivery: true }, 'the options are true, not an object'],
  ['queue', 'the options are queue, and no object'],
])('a subscription with the options %j is refused', (options, words) => {
  const broker = new AskingBroker();
  expect(() => broker.ask(options as object)).toThrow(new MicroError('invalid', `noting broker: ${words}`));
});

test("the backend's own options of a subscription are known", () => {
  const broker = new AskingBroker();
  expect(() => broker.ask({ queue: 'a', from: 'first', signal: undefined, onError: nothing })).not.toThrow();
});

test('what is published with a slip in the name of an option is refused', () => {
  const broker = new NotingBroker();
  expect(() => broker.publish('a', { abortSignal: undefined, messageId: 'a' } as AbortOptions)).toThrow(
    new MicroError('invalid', 'noting broker: there is no option "messageId", and id may be meant'),
  );
  expect(broker.asked).toEqual([]);
});
