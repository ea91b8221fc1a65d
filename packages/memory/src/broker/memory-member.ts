import { type BrokerHandler, checkName, type Logger, type Message, type SubscribeOptions } from '@ts-micro/core';
import { checkRedelivery, SettlingSubscriber } from '@ts-micro/kit';
import type { Network } from '../network.ts';

interface MemberInit {
  readonly network: Network;
  readonly topic: string;
  readonly queue: string;
  readonly handler: BrokerHandler;
  readonly options: SubscribeOptions;
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  readonly closeTimeoutMs: number;
  readonly logger: Logger;
}

const who = 'memory broker';

/** A member of a durable queue, which holds no more messages than it may handle at once. */
export class MemoryMember extends SettlingSubscriber {
  readonly #concurrency: number;

  /** Joins the queue until it is closed. Throws `invalid` for the topic, the queue, the concurrency, the redelivery. */
  constructor(init: MemberInit) {
    const { network, topic, queue, handler, options, maxQueuedMessages, maxQueuedBytes, closeTimeoutMs, logger } = init;
    checkName(queue, `${who}: queue`);
    const durableQueue = network.topics.durableQueue(topic, queue, {
      messages: maxQueuedMessages,
      bytes: maxQueuedBytes,
    });
    const { concurrency, onError } = options;
    super({
      what: `${who}: subscriber of ${topic}`,
      topic,
      queue,
      handler,
      redelivery: checkRedelivery(options, who),
      publishDeadLetter: async (deadLetterTopic: string, message: Message) =>
        network.topics.deliver(deadLetterTopic, message),
      onSettled: () => durableQueue.lend(),
      concurrency,
      onError,
      logger,
      closeTimeoutMs,
      stop: () => durableQueue.leave(this),
    });
    this.#concurrency = concurrency ?? 1;
    durableQueue.join(this);
  }

  get room(): number {
    return this.isOpen ? this.#concurrency - this.held.size : 0;
  }
}
