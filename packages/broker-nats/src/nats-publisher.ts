import type { AbortOptions, Logger } from '@ts-micro/core';
import { type NatsConnection, type NatsPublishOptions, PublishTracker } from '@ts-micro/nats';
import type { OutagePolicy } from './nats-broker-options.ts';
import { Outbox, type OutboxLimits } from './outbox.ts';
import type { PublishBooks } from './publish-books.ts';

export interface NatsPublisherOptions extends OutboxLimits {
  readonly outage: OutagePolicy;
  readonly onUncertain: ((count: number) => void) | undefined;
  readonly logger: Logger;
}

// After a restart of the server subscribers need a moment to be back as well: what is sent before they are, nobody gets.
const regatherMs = 500;

/** Publishes over whatever connection the broker has at the time, and keeps the books of it. */
export class NatsPublisher {
  readonly #options: NatsPublisherOptions;
  readonly #outbox: Outbox;
  #connection: NatsConnection | undefined;
  #tracker: PublishTracker | undefined;
  #unfollow: (() => void) | undefined;
  #regathering: NodeJS.Timeout | undefined;
  /** What is published waits, as the connection is lost or was a moment ago. */
  #isAway = false;
  #published = 0;
  #refused = 0;
  #uncertain = 0;
  /** Confirmed on earlier connections. */
  #confirmed = 0;

  constructor(options: NatsPublisherOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options);
  }

  get books(): PublishBooks {
    const confirmed = this.#confirmed + (this.#tracker?.confirmed ?? 0);
    const [published, refused, uncertain] = [this.#published, this.#refused, this.#uncertain];
    return { published, refused, confirmed, uncertain, open: published - refused - confirmed - uncertain };
  }

  /** A message is to be published. */
  begin(): void {
    this.#published++;
  }

  /** It is not. */
  refuse(): void {
    this.#refused++;
  }

  /** Writes it now, or by policy after the outage: then there is something to wait for. Throws, or rejects, as `NatsConnection.publish` does. */
  publish(
    connection: NatsConnection,
    topic: string,
    data: Uint8Array,
    publishOptions: NatsPublishOptions | undefined,
    options: AbortOptions | undefined,
  ): Promise<void> | undefined {
    if (connection !== this.#connection) this.#follow(connection);
    if (this.#isAway) {
      const kept = new Uint8Array(data);
      const write = () => this.#write(connection, topic, kept, publishOptions);
      return this.#outbox.add({ topic, size: kept.length, write }, options);
    }
    this.#write(connection, topic, data, publishOptions);
    return connection.room(options);
  }

  /** Waits until it is known what became of everything; what waits for the connection is refused. Never rejects. */
  async close(options: AbortOptions): Promise<void> {
    this.#outbox.refuseAll('the broker is closing');
    await this.#tracker?.settle(options);
    this.#release();
  }

  #write(connection: NatsConnection, topic: string, data: Uint8Array, options: NatsPublishOptions | undefined): void {
    connection.publish(topic, data, options);
    this.#tracker?.wrote();
  }

  #follow(connection: NatsConnection): void {
    this.#release();
    this.#connection = connection;
    this.#tracker = new PublishTracker(connection, (count) => this.#onUncertain(count));
    if (this.#options.outage === 'refuse') return;
    this.#isAway = connection.state.status === 'reconnecting';
    this.#unfollow = connection.onStateChange(({ status }) => {
      clearTimeout(this.#regathering);
      if (status === 'reconnecting') this.#isAway = true;
      else if (status !== 'connected') this.#end();
      else if (this.#isAway) this.#regathering = setTimeout(() => this.#return(), regatherMs);
    });
  }

  #return(): void {
    this.#outbox.writeAll();
    // Where it was lost again, the rest waits on.
    this.#isAway = this.#outbox.size > 0;
  }

  #end(): void {
    this.#isAway = false;
    this.#outbox.refuseAll('the connection was closed');
  }

  #release(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
    clearTimeout(this.#regathering);
    this.#end();
    this.#tracker?.close();
    this.#confirmed += this.#tracker?.confirmed ?? 0;
    this.#tracker = undefined;
    this.#connection = undefined;
  }

  #onUncertain(count: number): void {
    this.#uncertain += count;
    const { onUncertain, logger } = this.#options;
    if (onUncertain === undefined) {
      logger.warn('published messages are uncertain', { count, uncertain: this.#uncertain });
      return;
    }
    try {
      onUncertain(count);
    } catch (error) {
      logger.error('onUncertain failed', { error });
    }
  }
}
