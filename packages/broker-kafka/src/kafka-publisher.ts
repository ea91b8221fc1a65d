import type { Producer } from '@platformatic/kafka';
import { type AbortOptions, type Message, MicroError } from '@ts-micro/core';
import { abortable, LazyConnection, OrderedBatches, randomToken } from '@ts-micro/kit';
import { encode } from './envelope.ts';
import { type KafkaSettings, who } from './kafka-broker-options.ts';
import { kafkaError, letGo, newProducer } from './kafka-client.ts';

interface Publishing {
  readonly topic: string;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers?: Map<Buffer, Buffer>;
}

/** Publishes in the order of the calls. */
export class KafkaPublisher {
  readonly #settings: KafkaSettings;
  readonly #producer: LazyConnection<Producer>;
  readonly #ownKey = randomToken();
  readonly #batches = new OrderedBatches<Publishing>({
    send: (messages) => this.#producer.use((producer) => this.#watched(producer.send({ messages: [...messages] }))),
    bytesOf: ({ value }) => value.length,
  });
  isConnected: boolean | undefined;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
    this.#producer = new LazyConnection({
      what: who,
      dial: async () => newProducer(settings),
      isReady: (producer) => !producer.closed,
      close: (producer) => producer.close(),
      destroy: letGo,
    });
  }

  /** Resolves once a server has answered. */
  async connect(options?: AbortOptions): Promise<void> {
    this.#producer.reopen();
    await this.#producer.use(
      (producer) => this.#watched(producer.metadata({ topics: [], forceUpdate: true })),
      options,
    );
  }

  async publish(topic: string, message: Message, options?: AbortOptions): Promise<void> {
    const { dialect, keyHeader } = this.#settings;
    const key = Buffer.from((keyHeader && message.headers[keyHeader]) || this.#ownKey);
    const publishing = this.#batches.add({ topic, key, ...encode(message, dialect) });
    await abortable(publishing, options?.signal, `${who}: publishing on ${topic}`);
  }

  end(options?: AbortOptions): Promise<void> {
    return this.#producer.end(options);
  }

  async #watched<T>(asking: Promise<T>): Promise<T> {
    try {
      const answer = await asking;
      this.isConnected = true;
      return answer;
    } catch (thrown) {
      const error = kafkaError(thrown, 'publishing');
      if (MicroError.is(error, 'unavailable')) this.isConnected = false;
      throw error;
    }
  }
}
