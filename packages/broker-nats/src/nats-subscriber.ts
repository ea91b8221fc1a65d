import type { BrokerHandler, Logger, MicroError, SubscribeOptions } from '@ts-micro/core';
import { HandlerSubscriber, type WaitingBytes } from '@ts-micro/kit';
import {
  detachMessage,
  type NatsConnection,
  type NatsMessage,
  type NatsSubscription,
  type SubjectFeeds,
  sizeOfMessage,
} from '@ts-micro/nats';
import { decodeMessage } from './message-dialect.ts';

export interface NatsSubscriberOptions extends SubscribeOptions {
  readonly connection: NatsConnection;
  /** Of all subscribers of the broker. */
  readonly feeds: SubjectFeeds;
  readonly topic: string;
  readonly handler: BrokerHandler;
  readonly maxPendingMessages: number;
  readonly maxPendingBytes: number;
  /** Of all subscribers of the broker. */
  readonly pending: WaitingBytes;
  readonly closeTimeoutMs: number;
  readonly logger: Logger;
}

/** A subscription on NATS. What the server takes away in mid-life is told to `onError`, and asked for again. */
export class NatsSubscriber extends HandlerSubscriber<NatsMessage> {
  readonly #subscription: NatsSubscription;
  #isConfirmed = false;

  constructor(given: NatsSubscriberOptions) {
    const { connection, feeds, maxPendingMessages, maxPendingBytes, pending, ...options } = given;
    const { topic, queue } = options;
    // Without a wildcard every message has the subject that was asked for, which need not be read.
    const exact = /[*>]/.test(topic) ? undefined : topic;
    super({
      ...options,
      what: `nats broker: subscriber of "${topic}"`,
      eventOf: (message) => ({ topic: exact ?? message.subject, message: decodeMessage(message) }),
      limit: maxPendingMessages,
      limitBytes: maxPendingBytes,
      total: pending,
      bytesOf: sizeOfMessage,
      detach: detachMessage,
      // What the server has already chosen this member of a queue for must not be lost.
      stop: (closeOptions) => this.#subscription.drain(closeOptions),
    });
    // Where there is no `onError`, the connection's own log has told it.
    const tell = (error: MicroError) => options.onError && this.report(error);
    this.#subscription = feeds.subscribe(connection, topic, {
      queue,
      onMessage: (message) => this.push(message),
      onError: (error) => {
        // Before it is confirmed, `subscribe` rejects with it.
        if (this.#isConfirmed) tell(error);
        void this.fail(error);
      },
      onLost: (error) => {
        tell(error);
        return options.onLost?.(error);
      },
      onRestored: () => options.onRestored?.(),
    });
  }

  /** Waits until a message published now would arrive. */
  async confirm({ signal }: Pick<SubscribeOptions, 'signal'>): Promise<void> {
    await this.#subscription.confirm({ signal });
    this.#isConfirmed = true;
  }
}
