import type { AbortOptions, Logger, MicroError } from '@ts-micro/core';
import { abortable, callSafely, OutageBuffer, type OutageBufferLimits } from '@ts-micro/kit';
import { type NatsConnection, type NatsPublishOptions, PublishTracker } from '@ts-micro/nats';
import type { OutagePolicy } from './nats-broker-options.ts';
import type { PublishStats } from './publish-stats.ts';

export interface NatsPublisherOptions extends OutageBufferLimits {
  readonly outage: OutagePolicy;
  readonly onUncertain: ((count: number) => void) | undefined;
  readonly logger: Logger;
}

// After a restart of the server subscribers need a moment to be back as well: what is sent before they are, nobody
// gets.
const regatherMs = 500;
// Bounded, so that made-up topics cannot grow it.
const maxKnown = 10_000;

/** Those who wait to hear whether they may publish on a topic. */
interface Proof {
  waiting: number;
  denial: MicroError | undefined;
}

/** Publishes over whatever connection the broker has at the time, and counts what became of it. */
export class NatsPublisher {
  readonly #options: NatsPublisherOptions;
  readonly #buffer: OutageBuffer;
  #connection: NatsConnection | undefined;
  #tracker: PublishTracker | undefined;
  #unfollow: (() => void) | undefined;
  #undeny: (() => void) | undefined;
  #regathering: NodeJS.Timeout | undefined;
  /** Topics on which the server has taken a message. */
  readonly #known = new Set<string>();
  readonly #proofs = new Map<string, Proof>();
  #ping: Promise<void> | undefined;
  /** Whether messages wait, because the connection is lost or was a moment ago. */
  #isAway = false;
  #published = 0;
  #refused = 0;
  #uncertain = 0;
  /** Confirmed on earlier connections. */
  #confirmed = 0;

  constructor(options: NatsPublisherOptions) {
    this.#options = options;
    this.#buffer = new OutageBuffer({ ...options, who: 'nats broker' });
  }

  get stats(): PublishStats {
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

  /**
   * Writes it now, or by policy after the outage: then there is something to wait for. Throws, or rejects, as
   * `NatsConnection.publish` does.
   */
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
      return this.#buffer.add({ topic, size: kept.length, write }, options);
    }
    this.#write(connection, topic, data, publishOptions);
    return this.#known.has(topic) ? connection.room(options) : this.#prove(connection, topic, options);
  }

  /** Waits until it is known what became of everything; what waits for the connection is refused. Never rejects. */
  async close(options: AbortOptions): Promise<void> {
    this.#buffer.refuseAll('the broker is closing');
    await this.#tracker?.settle(options);
    this.#release();
  }

  #write(connection: NatsConnection, topic: string, data: Uint8Array, options: NatsPublishOptions | undefined): void {
    connection.publish(topic, data, options);
    this.#tracker?.wrote();
  }

  /**
   * Waits until the server has taken the first message on a topic, as it says of a refused one only then. Rejects with
   * `unauthorized`.
   */
  async #prove(connection: NatsConnection, topic: string, options: AbortOptions | undefined): Promise<void> {
    const proof: Proof = this.#proofs.get(topic) ?? { waiting: 0, denial: undefined };
    this.#proofs.set(topic, proof);
    proof.waiting++;
    // One ping for all that is written in this turn.
    this.#ping ??= Promise.resolve().then(() => {
      this.#ping = undefined;
      return connection.flush();
    });
    // Without an answer nothing is known of it: it counts as uncertain, or the signal's owner does not wait for it.
    const isAnswered = await abortable(this.#ping, options?.signal, 'nats broker').then(
      () => true,
      () => false,
    );
    // A refusal may be on its way through the client still.
    if (isAnswered) await new Promise((resolve) => setImmediate(resolve));
    if (--proof.waiting === 0) this.#proofs.delete(topic);
    if (proof.denial !== undefined) throw proof.denial;
    if (!isAnswered) return;
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.add(topic);
  }

  #onDenied(topic: string, error: MicroError): void {
    // What another user of the connection publishes is none of ours.
    const proof = this.#proofs.get(topic);
    if (proof === undefined && !this.#known.delete(topic)) return;
    this.#tracker?.denied();
    if (proof === undefined) this.#refused++;
    else proof.denial = error;
  }

  #follow(connection: NatsConnection): void {
    this.#release();
    this.#connection = connection;
    this.#tracker = new PublishTracker(connection, (count) => this.#onUncertain(count));
    this.#undeny = connection.onPublishDenied((topic, error) => this.#onDenied(topic, error));
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
    this.#buffer.writeAll();
    // Where it was lost again, the rest waits on.
    this.#isAway = this.#buffer.size > 0;
  }

  #end(): void {
    this.#isAway = false;
    this.#buffer.refuseAll('the connection was closed');
  }

  #release(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
    this.#undeny?.();
    this.#known.clear();
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
    callSafely(
      () => onUncertain(count),
      (error) => logger.error('onUncertain failed', { error }),
    );
  }
}
