import {
  type Broker,
  checkMessage,
  checkName,
  checkTopic,
  type Logger,
  MicroError,
  topicMatcher,
} from '@ts-micro/core';
import { abortable, closeAll, HandlerSubscriber, Lifetime, refuseDurability } from '@ts-micro/kit';
import { mqttConnection } from './mqtt-connection.ts';
import { fromMqttTopic, fromUserProperties, toMqttFilter, toMqttTopic, toUserProperties } from './names.ts';
import { type Received, Subscriptions } from './subscriptions.ts';

export interface MqttBrokerOptions {
  /** A server of MQTT 5; `mqtts://` is TLS. @default 'mqtt://127.0.0.1:1883' */
  readonly url?: string | undefined;
  /** Told of handlers that throw where `subscribe` was given no `onError`. @default silent */
  readonly logger?: Logger | undefined;
}

const who = 'mqtt broker';
const maxBodyBytes = 1024 * 1024;

/** Publish and subscribe over MQTT 5. Throws `invalid` where `url` is none. */
export function mqttBroker({ url = 'mqtt://127.0.0.1:1883', logger }: MqttBrokerOptions = {}): Broker {
  const subscriptions = new Subscriptions(who, () => connection);
  const connection = mqttConnection({
    url,
    who,
    prepare: (link) => subscriptions.restore(link),
    onMessage: subscriptions.deliver,
  });
  const address = new URL(url).host;
  const subscribers = new Set<HandlerSubscriber<Received>>();
  const lifetime = new Lifetime(who, (options) =>
    closeAll(subscribers, options).finally(() => connection.end(options)),
  );
  let disconnecting: Promise<void> | undefined;
  const assertConnected = () => {
    if (disconnecting) throw new MicroError('unavailable', `${who}: disconnected`, { retrySafe: true });
  };

  return {
    name: 'mqtt',
    address,
    options: { addresses: [address] },
    supports: { queues: true, wildcards: true, maxBodyBytes },

    get isConnected() {
      return connection.isConnected;
    },

    async connect(options) {
      lifetime.assertOpen(options);
      await abortable(Promise.resolve(disconnecting), options?.signal, who);
      disconnecting = undefined;
      connection.reopen();
      await connection.use(async () => {}, options);
    },

    async disconnect(options) {
      lifetime.assertOpen();
      disconnecting ??= closeAll(subscribers, options)
        .finally(() => connection.end(options))
        .catch(() => {});
      await disconnecting;
    },

    async publish(topic, { headers, body }, options = {}) {
      lifetime.assertOpen(options);
      checkTopic(topic, who);
      checkMessage({ headers, body }, maxBodyBytes, who);
      refuseDurability({ id: options.id }, who);
      assertConnected();
      const publication = {
        topic: toMqttTopic(topic, who),
        body,
        userProperties: toUserProperties(headers, who),
      };
      await connection.use((link) => link.publish(publication, options), options);
    },

    async subscribe(topic, handler, options = {}) {
      lifetime.assertOpen(options);
      topicMatcher(topic, who);
      const { queue, signal } = options;
      if (queue !== undefined) checkName(queue, `${who}: queue`);
      refuseDurability(options, who);
      assertConnected();
      const filter = toMqttFilter(topic, queue, who);
      const what = `${who}: subscriber of "${topic}"`;
      const subscriber: HandlerSubscriber<Received> = new HandlerSubscriber({
        ...options,
        what,
        topic,
        handler,
        eventOf: ({ topic: mqttTopic, body, properties }) => ({
          topic: fromMqttTopic(mqttTopic, who),
          // All subscribers are given the same bytes.
          message: { headers: fromUserProperties(properties?.userProperties), body: Uint8Array.from(body) },
        }),
        logger,
        stop: () => subscriptions.leave(filter, subscriber),
      });
      subscribers.add(subscriber);
      void subscriber.closed.then(() => subscribers.delete(subscriber));
      try {
        await abortable(subscriptions.join(filter, subscriber), signal, what);
      } catch (error) {
        void subscriber.close();
        throw error;
      }
      return subscriber;
    },

    closed: lifetime.closed,
    close: (options) => lifetime.close(options),
    [Symbol.asyncDispose]: () => lifetime.close(),
  };
}
