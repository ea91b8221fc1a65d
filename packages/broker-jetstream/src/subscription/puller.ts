import { type AbortOptions, MicroError } from '@ts-micro/core';
import { shown } from '@ts-micro/kit';
import type { JetStreamApi, NatsMessage, NatsSubscription } from '@ts-micro/nats';

export interface PullerOptions {
  readonly api: JetStreamApi;
  /** How many more to ask for now, where so many are asked for and have not come: 0 for none yet. */
  readonly more: (asked: number) => number;
  readonly onMessage: (message: NatsMessage) => void;
  /** Finds or makes the consumer; resolves with its name. Tried again with growing pauses where it rejects. */
  readonly consumer: (isFirst: boolean) => Promise<{ readonly stream: string; readonly name: string }>;
  /** Told of a try that failed. */
  readonly onTrouble: (error: unknown) => void;
  /** Those of the broker that the server forbids to go on. */
  readonly forbidden: Map<object, MicroError>;
}

const expiresMs = 3000;
const graceMs = 2000;
/** So many ends, each after a longer pause, are told once. */
const toldEnds = 4;
const firstRetryMs = 100;
const longestRetryMs = 2000;
const encoder = new TextEncoder();

/**
 * Pulls messages of one consumer, never more than there is room for, and goes on after whatever ends a pull: an
 * outage, a consumer that is gone, another leader, a request that was lost.
 */
export class Puller {
  readonly #options: PullerOptions;
  readonly #inbox: string;
  readonly #subscription: NatsSubscription;
  readonly #unfollow: () => void;
  readonly #undeny: () => void;
  #subject: string | undefined;
  #pulls = 0;
  #asked = 0;
  #watch: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  /** Pulls that the server has ended since one came to something. */
  #ended = 0;
  #isFinding = false;
  #isStopped = false;

  constructor(options: PullerOptions) {
    const { connection } = options.api;
    this.#options = options;
    this.#inbox = connection.newInbox();
    this.#subscription = connection.subscribe(`${this.#inbox}.*`, {
      onMessage: (message) => this.#onMessage(message),
      onError: options.onTrouble,
      onLost: options.onTrouble,
      onRestored: () => this.again(),
    });
    this.#unfollow = connection.onStateChange(({ status }) => {
      if (status === 'connected') this.again();
    });
    this.#undeny = connection.onPublishDenied((subject, error) => this.#onDenied(subject, error));
  }

  /** Resolves once the first consumer is there. Rejects as finding it does, and where the inbox was refused. */
  async start(options: AbortOptions): Promise<void> {
    const { consumer } = this.#options;
    await this.#subscription.confirm(options);
    const { stream, name } = await consumer(true);
    this.#subject = `${this.#options.api.prefix}CONSUMER.MSG.NEXT.${stream}.${name}`;
    this.fill();
  }

  /** Asks for as many messages as there is room for. Call it whenever there may be more room. */
  fill(): void {
    if (this.#isStopped || this.#subject === undefined) return;
    const { api, more } = this.#options;
    const batch = more(this.#asked);
    if (batch <= 0) return;
    const request = { batch, expires: expiresMs * 1e6 };
    try {
      const reply = `${this.#inbox}.${++this.#pulls}`;
      api.connection.publish(this.#subject, encoder.encode(JSON.stringify(request)), { reply });
    } catch {
      // There is no connection: it goes on when it is back.
      return;
    }
    this.#asked += batch;
    this.#watch ??= setTimeout(() => this.again(), expiresMs + graceMs);
    this.#watch.refresh();
  }

  /** Ends the flow; what the server had sent until then was handed over once this resolves. */
  async stop(options: AbortOptions): Promise<void> {
    this.#isStopped = true;
    this.#unfollow();
    this.#undeny();
    this.#options.forbidden.delete(this);
    clearTimeout(this.#watch);
    clearTimeout(this.#retry);
    await this.#subscription.drain(options);
  }

  /** The server refuses to be asked, and says so to nobody else: without an answer it would be asked in vain. */
  #onDenied(subject: string, error: MicroError): boolean {
    if (subject !== this.#subject || this.#isStopped) return false;
    this.#forbid(error);
    // What else was asked for in this moment is refused as well.
    if (this.#asked === 0) return true;
    this.#asked = 0;
    clearTimeout(this.#watch);
    this.#watch = undefined;
    this.#options.onTrouble(error);
    this.#later(() => this.again());
    return true;
  }

  #forbid(error: unknown): void {
    if (MicroError.is(error, 'unauthorized')) this.#options.forbidden.set(this, error);
  }

  #onMessage(message: NatsMessage): void {
    this.#options.forbidden.delete(this);
    if (message.status === 0) {
      this.#asked = Math.max(0, this.#asked - 1);
      this.#retryMs = firstRetryMs;
      this.#ended = 0;
      this.#options.onMessage(message);
      return;
    }
    if (message.status === 100 || this.#isStopped) return;
    if (message.status !== 408 && message.status !== 404) {
      this.#onEnded(message);
      this.again();
      return;
    }
    this.#ended = 0;
    const unused = Number(message.headers()['Nats-Pending-Messages'] ?? this.#asked);
    this.#asked = Math.max(0, this.#asked - (Number.isSafeInteger(unused) ? unused : this.#asked));
    this.fill();
  }

  /** A server that stops ends a pull as well, but not one after the other: a limit of the consumer does. */
  #onEnded({ status, statusText = '' }: NatsMessage): void {
    if (++this.#ended % toldEnds !== 0) return;
    const words = `status ${status} ${shown(statusText)}`.trim();
    this.#options.onTrouble(new MicroError('unavailable', `${this.#subject}: the server ends each pull: ${words}`));
  }

  /** Looks for the consumer, and asks anew. */
  again(): void {
    if (this.#isStopped || this.#isFinding || this.#subject === undefined) return;
    clearTimeout(this.#watch);
    this.#watch = undefined;
    this.#isFinding = true;
    this.#find().finally(() => {
      this.#isFinding = false;
    });
  }

  async #find(): Promise<void> {
    const { api, consumer, onTrouble } = this.#options;
    try {
      const { stream, name } = await consumer(false);
      this.#subject = `${api.prefix}CONSUMER.MSG.NEXT.${stream}.${name}`;
      this.#asked = 0;
      // Where the server ends pull after pull, it is not asked without a pause.
      this.#later(() => this.fill());
    } catch (error) {
      if (this.#isStopped) return;
      if (api.connection.state.status === 'connected') {
        this.#forbid(error);
        onTrouble(error);
      }
      this.#later(() => this.again());
    }
  }

  #later(work: () => void): void {
    if (this.#isStopped) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(work, this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, longestRetryMs);
  }
}
