import {
  type Broker,
  type BrokerHandler,
  checkMessage,
  checkTopic,
  MicroError,
  type SubscribeOptions,
  type Subscriber,
} from '@ts-micro/core';
import { checkRedelivery, closeAll, Lifetime, randomToken, refuseDurability, safeLogger } from '@ts-micro/kit';
import { maxBodyBytes } from './envelope.ts';
import { type KafkaBrokerOptions, kafkaSettings, who } from './kafka-broker-options.ts';
import { KafkaPublisher } from './kafka-publisher.ts';
import { subscribeGroup } from './subscribe-group.ts';

/** Publish and subscribe over Kafka. Connects at its first use. Throws `invalid` naming the option. */
export function kafkaBroker(options: KafkaBrokerOptions = {}): Broker {
  const settings = kafkaSettings(options);
  const logger = safeLogger(options.logger);
  const publisher = new KafkaPublisher(settings);
  const subscribers = new Set<Subscriber>();
  let isDisconnected = false;
  const lifetime = new Lifetime(who, (closeOptions) =>
    closeAll(subscribers, closeOptions).finally(() => publisher.end(closeOptions).catch(() => {})),
  );
  const assertConnected = () => {
    if (isDisconnected) throw new MicroError('unavailable', `${who}: disconnected`, { retrySafe: true });
  };
  const [address = ''] = settings.addresses;

  const broker: Broker = {
    name: 'kafka',
    address,
    options: { addresses: settings.addresses },
    // Kafka remembers no ids, so its queues, which keep what they have not handled, are not called durable.
    supports: { queues: true, wildcards: false, redelivery: true, maxBodyBytes: maxBodyBytes[settings.dialect] },

    async connect(connectOptions) {
      lifetime.assertOpen(connectOptions);
      await publisher.connect(connectOptions);
      isDisconnected = false;
    },

    async disconnect(disconnectOptions) {
      lifetime.assertOpen();
      isDisconnected = true;
      const ending = [...subscribers].map((each) => each.close(disconnectOptions));
      await Promise.all(ending);
      await publisher.end(disconnectOptions).catch(() => {});
    },

    async publish(topic, message, publishOptions = {}) {
      lifetime.assertOpen(publishOptions);
      checkKafkaTopic(topic);
      checkMessage(message, maxBodyBytes[settings.dialect], who);
      refuseDurability({ id: publishOptions.id }, who);
      assertConnected();
      await publisher.publish(topic, message, publishOptions);
    },

    async subscribe(topic: string, handler: BrokerHandler, subscribeOptions: SubscribeOptions = {}) {
      lifetime.assertOpen(subscribeOptions);
      if (/[*>]/.test(topic)) throw new MicroError('unsupported', `${who}: it has no wildcards, and topic is ${topic}`);
      checkKafkaTopic(topic);
      const { queue, durable, redelivery } = subscribeOptions;
      refuseDurability({ durable }, who);
      if (queue !== undefined) checkTopic(queue, `${who}: queue`);
      const rules = checkRedelivery(subscribeOptions, who);
      assertConnected();
      const subscriber = subscribeGroup({
        ...subscribeOptions,
        settings,
        topic,
        handler,
        group: queue ?? `ts-micro.${randomToken()}`,
        redelivery: redelivery === undefined ? { ...rules, maxDeliveries: 1 } : rules,
        isCounted: redelivery !== undefined,
        bury: async (target, message) => {
          if (redelivery !== undefined) await publisher.publish(target, message);
        },
        logger,
      });
      subscribers.add(subscriber);
      void subscriber.closed.then(() => subscribers.delete(subscriber));
      await subscriber.start(subscribeOptions).catch((error) => {
        void subscriber.close();
        throw error;
      });
      return subscriber;
    },

    closed: lifetime.closed,
    close: (closeOptions) => lifetime.close(closeOptions),
    [Symbol.asyncDispose]: () => lifetime.close(),
  };
  return Object.defineProperty(broker, 'isConnected', { get: () => publisher.isConnected, enumerable: true });
}

function checkKafkaTopic(topic: string): void {
  checkTopic(topic, who);
  if (/^[\w.-]{1,249}$/.test(topic)) return;
  const rule = 'holds more than letters, digits, . _ and -, or is longer than 249';
  throw new MicroError('invalid', `${who}: topic ${JSON.stringify(topic)} ${rule}`);
}
