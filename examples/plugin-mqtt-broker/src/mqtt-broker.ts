import {
  type AbortOptions,
  type Broker,
  type BrokerHandler,
  checkMessage,
  checkName,
  checkTopic,
  type Logger,
  type Message,
  type PublishOptions,
  type SubscribeOptions,
  type Subscriber,
  topicMatcher,
} from '@ts-micro/core';
import { abortable, BrokerBase, HandlerSubscriber, type LazyConnection, refuseDurability } from '@ts-micro/kit';
import { mqttConnection } from './mqtt-connection.ts';
import type { MqttLink } from './mqtt-link.ts';
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
export function mqttBroker(options: MqttBrokerOptions = {}): Broker {
  return new MqttBroker(options);
}

class MqttBroker extends BrokerBase implements Broker {
  readonly name = 'mqtt';
  readonly address: string;
  readonly options: Broker['options'];
  readonly supports: Broker['supports'] = { queues: true, wildcards: true, maxBodyBytes };
  readonly #logger: Logger | undefined;
  readonly #connection: LazyConnection<MqttLink>;
  readonly #subscriptions = new Subscriptions(who, () => this.#connection);

  constructor({ url = 'mqtt://127.0.0.1:1883', logger }: MqttBrokerOptions) {
    super(who);
    const prepare = (link: MqttLink) => this.#subscriptions.restore(link);
    this.#connection = mqttConnection({ url, who, prepare, onMessage: this.#subscriptions.deliver });
    this.address = new URL(url).host;
    this.options = { addresses: [this.address] };
    this.#logger = logger;
  }

  get isConnected(): boolean | undefined {
    return this.#connection.isConnected;
  }

  async publish(topic: string, { headers, body }: Message, options: PublishOptions = {}): Promise<void> {
    this.assertMayPublish(options);
    checkTopic(topic, who);
    checkMessage({ headers, body }, maxBodyBytes, who);
    refuseDurability({ id: options.id }, who);
    const publication = {
      topic: toMqttTopic(topic, who),
      body,
      userProperties: toUserProperties(headers, who),
    };
    await this.#connection.use((link) => link.publish(publication, options), options);
  }

  async subscribe(topic: string, handler: BrokerHandler, options: SubscribeOptions = {}): Promise<Subscriber> {
    this.assertMaySubscribe(options);
    topicMatcher(topic, who);
    const { queue, signal } = options;
    if (queue !== undefined) checkName(queue, `${who}: queue`);
    refuseDurability(options, who);
    const filter = toMqttFilter(topic, queue, who);
    const what = `${who}: subscriber of "${topic}"`;
    const subscriber: HandlerSubscriber<Received> = new HandlerSubscriber({
      ...options,
      what,
      topic,
      handler,
      bytesOf: ({ body }) => body.length,
      eventOf: ({ topic: mqttTopic, body, properties }) => ({
        topic: fromMqttTopic(mqttTopic, who),
        // All subscribers are given the same bytes.
        message: { headers: fromUserProperties(properties?.userProperties), body: Uint8Array.from(body) },
      }),
      logger: this.#logger,
      stop: () => this.#subscriptions.leave(filter, subscriber),
    });
    return this.keep(subscriber, () => abortable(this.#subscriptions.join(filter, subscriber), signal, what), options);
  }

  protected async dial(options: AbortOptions): Promise<void> {
    this.#connection.reopen();
    await this.#connection.use(async () => {}, options);
  }

  /** The end of the connection waits for it. */
  protected finishPublishing(): void {}

  protected hangUp(options: AbortOptions): Promise<void> {
    return this.#connection.end(options);
  }
}
