import type { Broker, BrokerEvent, BrokerHandler, Message, SubscribeOptions, Subscriber } from '@ts-micro/core';
import { altered } from '../altered.ts';

type Breakage = (sound: Broker) => Broker;

/** Breaks the broker itself. */
export function brokers(members: (broker: Broker) => Partial<Broker>): Breakage {
  return (broker) => altered(broker, members(broker));
}

/** Breaks every subscriber. */
export function subscribers(members: (subscriber: Subscriber) => Partial<Subscriber>): Breakage {
  return brokers((broker) => ({
    async subscribe(topic, handler, options) {
      const subscriber = await broker.subscribe(topic, handler, options);
      return altered(subscriber, members(subscriber));
    },
  }));
}

/** Breaks every subscription as it is made: `subscribe` gets the broker and what the caller asked for. */
export function subscriptions(
  subscribe: (broker: Broker, topic: string, handler: BrokerHandler, options: SubscribeOptions) => Promise<Subscriber>,
): Breakage {
  return brokers((broker) => ({
    subscribe: (topic, handler, options = {}) => subscribe(broker, topic, handler, options),
  }));
}

/** Breaks how events are handled: called once for each subscription, what it returns stands in front of the handler. */
export function handling(
  open: (handler: (event: BrokerEvent) => Promise<void>, options: SubscribeOptions) => BrokerHandler,
): Breakage {
  return subscriptions((broker, topic, handler, options) =>
    broker.subscribe(
      topic,
      open(async (event) => handler(event), options),
      options,
    ),
  );
}

/** Breaks messages as they are published; `undefined` is not published. */
export function publishes(change: (message: Message, broker: Broker) => Message | undefined): Breakage {
  return brokers((broker) => ({
    async publish(topic, message, options) {
      const published = change(message, broker);
      if (published) await broker.publish(topic, published, options);
    },
  }));
}
