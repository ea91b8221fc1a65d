import { setImmediate } from 'node:timers/promises';
import { type AbortOptions, type Logger, MicroError } from '@ts-micro/core';
import { callSafely } from '@ts-micro/kit';
import type { NatsSubscribeOptions, NatsSubscription } from '../connection/connection.ts';
import { mapNatsError } from '../error.ts';
import { LinkMessage } from './link-message.ts';
import type { VendorConnection, VendorMessage, VendorSubscription } from './vendor-connection.ts';

/** The connection, as a subscription on it sees it. */
export interface SubscriptionHome {
  readonly logger: Logger;
  flush(options?: AbortOptions): Promise<void>;
  /** How many pings were written until now. */
  readonly asked: number;
  forget(subscription: LinkSubscription): void;
  /** It was lost, or is there again. */
  changed(): void;
}

const firstRetryMs = 200;
const longestRetryMs = 10_000;

export class LinkSubscription implements NatsSubscription {
  readonly subject: string;
  readonly queue: string | undefined;
  readonly #home: SubscriptionHome;
  readonly #connection: VendorConnection;
  readonly #options: NatsSubscribeOptions;
  #vendor: VendorSubscription;
  #hasEnded = false;
  #isConfirmed = false;
  #refusal: MicroError | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  #isLost = false;
  #attempts = 0;
  /** Those who wait to hear of a refusal. */
  #confirms = 0;
  /** How many pings had been written before it was asked for. */
  askedAt = 0;

  constructor(home: SubscriptionHome, connection: VendorConnection, subject: string, options: NatsSubscribeOptions) {
    this.subject = subject;
    this.queue = options.queue;
    this.#home = home;
    this.#connection = connection;
    this.#options = options;
    this.#vendor = this.#subscribe();
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Whether the client still has it, under that number where one is given. */
  isHeld(sid?: number): boolean {
    return (
      !this.#hasEnded &&
      !this.#isLost &&
      !this.#vendor.isClosed() &&
      (sid === undefined || this.#vendor.getID() === sid)
    );
  }

  async confirm(options?: AbortOptions): Promise<void> {
    if (this.#refusal) throw this.#refusal;
    if (this.#hasEnded) throw new MicroError('closed', `nats: subscription to "${this.subject}" is closed`);
    this.#confirms++;
    try {
      await this.#home.flush(options);
      // Which of them a refusal is about, that came before the answer to the flush, may be found a moment later.
      await setImmediate();
    } finally {
      this.#confirms--;
    }
    // Set meanwhile: what the server refuses it says before it answers the flush.
    const refusal = this.#refusal as MicroError | undefined;
    if (refusal) throw refusal;
    this.#isConfirmed = true;
  }

  async drain(options?: AbortOptions): Promise<void> {
    if (this.#hasEnded) return;
    try {
      if (this.#isLost) return;
      // The client's own promise knows no signal and no lost connection; a flush after its UNSUB tells the same and
      // does.
      this.#vendor.drain().catch(() => {});
      await this.#home.flush(options);
    } finally {
      this.unsubscribe();
    }
  }

  unsubscribe(): void {
    if (this.#end()) this.#vendor.unsubscribe();
  }

  /** The server refused it or took it away. */
  refuse(error: unknown): void {
    if (this.#hasEnded) return;
    const refusal = mapNatsError(error, `nats: subscribing to "${this.subject}"`);
    if (this.#isLost || (this.#isConfirmed && this.#options.onLost !== undefined)) this.#lose(refusal);
    else this.end(refusal);
  }

  /** Ends it because of what happened to it. */
  end(error: MicroError): void {
    if (!this.#end()) return;
    this.#refusal = error;
    const { onError } = this.#options;
    this.#letGo();
    if (onError) this.#tell(() => onError(error));
    else if (this.#confirms === 0 && error.code !== 'closed')
      this.#home.logger.warn('nats subscription has ended', { subject: this.subject, error });
  }

  /** Asks for a lost one now: the connection is new. */
  retryNow(): void {
    if (!this.#isLost) return;
    clearTimeout(this.#retry);
    void this.#askAgain();
  }

  #subscribe(): VendorSubscription {
    this.askedAt = this.#home.asked;
    const { queue, onMessage } = this.#options;
    const callback = (error: Error | null, message: VendorMessage) => {
      // What is thrown here would end the client's read loop for good, and with an error the message is an empty
      // object.
      try {
        if (error) this.refuse(error);
        else if (!this.#hasEnded) onMessage(new LinkMessage(message));
      } catch (thrown) {
        this.#home.logger.error('nats subscription callback threw', { subject: this.subject, error: thrown });
      }
    };
    return this.#connection.subscribe(this.subject, queue === undefined ? { callback } : { callback, queue });
  }

  /** Returns false where it has ended before. */
  #end(): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    clearTimeout(this.#retry);
    this.#home.forget(this);
    if (this.#isLost) this.#setLost(false);
    return true;
  }

  /** The client has dropped one that was refused, but not one that fell to a limit. */
  #letGo(): void {
    try {
      this.#vendor.unsubscribe();
    } catch {
      // The connection is closed.
    }
  }

  #lose(error: MicroError): void {
    this.#attempts++;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#askAgain(), this.#retryMs);
    this.#retry.unref();
    this.#retryMs = Math.min(longestRetryMs, this.#retryMs * 2);
    if (this.#isLost) return;
    this.#setLost(true);
    this.#home.logger.warn('nats subscription was lost, asking for it again', { subject: this.subject, error });
    this.#tell(() => this.#options.onLost?.(error));
  }

  async #askAgain(): Promise<void> {
    const attempt = ++this.#attempts;
    let refusal: unknown;
    try {
      this.#letGo();
      this.#vendor = this.#subscribe();
      await this.#home.flush();
      await setImmediate();
    } catch (error) {
      refusal = error;
    }
    // Refused again meanwhile, or asked for once more.
    if (this.#hasEnded || !this.#isLost || attempt !== this.#attempts) return;
    if (refusal !== undefined) return this.#lose(mapNatsError(refusal, `nats: subscribing to "${this.subject}"`));
    clearTimeout(this.#retry);
    this.#retryMs = firstRetryMs;
    this.#setLost(false);
    this.#home.logger.info('nats subscription is there again', { subject: this.subject });
    this.#tell(() => this.#options.onRestored?.());
  }

  #setLost(isLost: boolean): void {
    this.#isLost = isLost;
    this.#home.changed();
  }

  #tell(callback: () => void): void {
    const { logger } = this.#home;
    callSafely(callback, (error) => logger.error('nats subscription callback threw', { subject: this.subject, error }));
  }
}
