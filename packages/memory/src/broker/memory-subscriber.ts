import { type BrokerHandler, checkName, type Logger, type SubscribeOptions, topicMatcher } from '@ts-micro/core';
import { bytesOfMessage, HandlerSubscriber } from '@ts-micro/kit';
import type { Network } from '../network.ts';

interface SubscriberInit {
  readonly network: Network;
  readonly topic: string;
  readonly handler: BrokerHandler;
  readonly options: SubscribeOptions;
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  readonly closeTimeoutMs: number;
  readonly logger: Logger;
}

const who = 'memory broker';

export class MemorySubscriber extends HandlerSubscriber {
  readonly matches: (topic: string) => boolean;

  /** Subscribes on the network until it is closed. Throws `invalid` for the topic, the queue or the concurrency. */
  constructor({ network, topic, handler, options, logger, ...bounds }: SubscriberInit) {
    const { queue, concurrency, onError } = options;
    const { maxQueuedMessages, maxQueuedBytes, closeTimeoutMs } = bounds;
    if (queue !== undefined) checkName(queue, `${who}: queue`);
    const matches = topicMatcher(topic, who);
    super({
      what: `${who}: subscriber of ${topic}`,
      topic,
      queue,
      handler,
      eventOf: (event) => event,
      concurrency,
      onError,
      limit: maxQueuedMessages,
      limitBytes: maxQueuedBytes,
      bytesOf: ({ message }) => bytesOfMessage(message),
      logger,
      closeTimeoutMs,
      stop: () => network.topics.delete(this),
    });
    this.matches = matches;
    network.topics.add(this);
  }
}
