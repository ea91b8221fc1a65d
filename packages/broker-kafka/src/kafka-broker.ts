import type { Producer } from '@platformatic/kafka';
import {
  type AbortOptions,
  type Broker,
  type BrokerHandler,
  checkMessage,
  checkTopic,
  type Message,
  MicroError,
  type PublishOptions,
  type SubscribeOptions,
  type Subscriber,
} from '@ts-micro/core';
import {
  abortable,
  BrokerBase,
  bounded,
  checkRedelivery,
  type LazyConnection,
  OrderedBatches,
  randomToken,
  refuseDurability,
} from '@ts-micro/kit';
import { type Encoded, encode, maxBodyBytes } from './envelope.ts';
import { type KafkaBrokerOptions, type KafkaSettings, kafkaSettings, who } from './kafka-broker-options.ts';
import { kafkaError, letGo, producerConnection } from './kafka-client.ts';
import { KafkaSubscriber } from './kafka-subscriber.ts';

/** Publish and subscribe over Kafka. Connects at its first use. Throws `invalid` naming the option. */
export function kafkaBroker(options: KafkaBrokerOptions = {}): Broker {
  return new KafkaBroker(kafkaSettings(options));
}

type Publishing = Encoded & { readonly topic: string; readonly key: Buffer };

class KafkaBroker extends BrokerBase implements Broker {
  readonly name = 'kafka';
  readonly address: string;
  readonly options: Broker['options'];
  readonly supports: Broker['supports'];
  readonly #settings: KafkaSettings;
  readonly #producer: LazyConnection<Producer>;
  readonly #ownKey = randomToken();
  readonly #batches = new OrderedBatches<Publishing>({
    send: (messages) => this.#producer.use((producer) => send(producer, messages)),
    bytesOf: ({ value }) => value.length,
  });

  constructor(settings: KafkaSettings) {
    super(who);
    this.#settings = settings;
    this.#producer = producerConnection(settings);
    this.address = settings.addresses[0] ?? '';
    this.options = { addresses: settings.addresses };
    // Kafka remembers no ids, so its queues, which keep what they have not handled, are not called durable.
    this.supports = { queues: true, wildcards: false, redelivery: true, maxBodyBytes: maxBodyBytes[settings.dialect] };
  }

  get isConnected(): boolean | undefined {
    return this.#producer.isConnected;
  }

  async publish(topic: string, message: Message, options: PublishOptions = {}): Promise<void> {
    this.assertMayPublish(options);
    checkKafkaTopic(topic);
    checkMessage(message, maxBodyBytes[this.#settings.dialect], who);
    refuseDurability({ id: options.id }, who);
    await abortable(this.#publish(topic, message), options.signal, `${who}: publishing on ${topic}`);
  }

  async subscribe(topic: string, handler: BrokerHandler, options: SubscribeOptions = {}): Promise<Subscriber> {
    this.assertMaySubscribe(options);
    if (/[*>]/.test(topic)) throw new MicroError('unsupported', `${who}: it has no wildcards, and topic is ${topic}`);
    checkKafkaTopic(topic);
    const { queue, durable, redelivery, concurrency, onError } = options;
    refuseDurability({ durable }, who);
    if (queue !== undefined) checkTopic(queue, `${who}: queue`);
    const rules = checkRedelivery(options, who);
    const subscriber = new KafkaSubscriber(this.#settings, {
      what: `${who}: subscriber of "${topic}"`,
      ...{ topic, queue, handler, concurrency, onError, logger: this.#settings.logger },
      redelivery: redelivery === undefined ? { ...rules, maxDeliveries: 1 } : rules,
      isCounted: redelivery !== undefined,
      publishDeadLetter: async (target, message) => {
        if (redelivery !== undefined) await this.#publish(target, message);
      },
    });
    return this.keep(subscriber, () => subscriber.start(options), options);
  }

  protected async dial(options: AbortOptions): Promise<void> {
    this.#producer.reopen();
    await this.#producer.use(async () => {}, options);
  }

  protected finishPublishing(options: AbortOptions): Promise<void> {
    return bounded(this.#batches.allSent, options, this.#settings.closeTimeoutMs, who).catch(() => {});
  }

  protected hangUp(options: AbortOptions): Promise<void> {
    return this.#producer.end(options).catch(() => {});
  }

  #publish(topic: string, message: Message): Promise<void> {
    const { dialect, keyHeader } = this.#settings;
    const key = Buffer.from((keyHeader && message.headers[keyHeader]) || this.#ownKey);
    return this.#batches.add({ topic, key, ...encode(message, dialect) });
  }
}

async function send(producer: Producer, messages: readonly Publishing[]): Promise<void> {
  try {
    await producer.send({ messages: [...messages] });
  } catch (error) {
    // It would wait for ever on a connection that was lost without a word, so another one is made.
    letGo(producer);
    throw kafkaError(error, 'publishing');
  }
}

function checkKafkaTopic(topic: string): void {
  checkTopic(topic, who);
  if (/^[\w.-]{1,249}$/.test(topic)) return;
  const rule = 'holds more than letters, digits, . _ and -, or is longer than 249';
  throw new MicroError('invalid', `${who}: topic ${JSON.stringify(topic)} ${rule}`);
}
