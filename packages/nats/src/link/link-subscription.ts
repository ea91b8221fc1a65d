import { type AbortOptions, type Logger, MicroError } from '@ts-micro/core';
import type { NatsSubscribeOptions, NatsSubscription } from '../connection/connection.ts';
import { mapNatsError } from '../error.ts';
import { LinkMessage } from './link-message.ts';
import type { VendorConnection, VendorMessage, VendorSubscription } from './vendor-connection.ts';

/** What a subscription asks of the connection it is on. */
export interface SubscriptionHome {
  readonly logger: Logger;
  flush(options?: AbortOptions): Promise<void>;
  forget(subscription: LinkSubscription): void;
}

export class LinkSubscription implements NatsSubscription {
  readonly subject: string;
  readonly #home: SubscriptionHome;
  readonly #vendor: VendorSubscription;
  #hasEnded = false;
  #refusal: MicroError | undefined;
  /** Who waits to hear of a refusal. */
  #confirms = 0;

  constructor(home: SubscriptionHome, vendor: VendorConnection, subject: string, options: NatsSubscribeOptions) {
    this.subject = subject;
    this.#home = home;
    const { onMessage } = options;
    const callback = (error: Error | null, message: VendorMessage) => {
      // What is thrown here would end the client's read loop for good, and with an error the message is an empty object.
      try {
        if (error) this.#refused(error, options.onError);
        else if (!this.#hasEnded) onMessage(new LinkMessage(message));
      } catch (thrown) {
        home.logger.error('nats subscription callback threw', { subject, error: thrown });
      }
    };
    this.#vendor = vendor.subscribe(
      subject,
      options.queue === undefined ? { callback } : { callback, queue: options.queue },
    );
  }

  async confirm(options?: AbortOptions): Promise<void> {
    if (this.#refusal) throw this.#refusal;
    if (this.#hasEnded) throw new MicroError('closed', `nats: subscription to "${this.subject}" is closed`);
    this.#confirms++;
    try {
      await this.#home.flush(options);
    } finally {
      this.#confirms--;
    }
    // Set by the callback: what the server refuses it says before it answers the flush.
    const refusal = this.#refusal as MicroError | undefined;
    if (refusal) throw refusal;
  }

  async drain(options?: AbortOptions): Promise<void> {
    if (this.#hasEnded) return;
    try {
      // The client's own promise knows no signal and no lost connection; a flush after its UNSUB tells the same and does.
      this.#vendor.drain().catch(() => {});
      await this.#home.flush(options);
    } finally {
      this.unsubscribe();
    }
  }

  unsubscribe(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#home.forget(this);
    this.#vendor.unsubscribe();
  }

  #refused(error: Error, onError: ((error: Error) => void) | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#home.forget(this);
    const refusal = mapNatsError(error, `nats: subscribing to "${this.subject}"`);
    this.#refusal = refusal;
    if (onError) onError(refusal);
    else if (this.#confirms === 0) this.#home.logger.warn('nats subscription was refused', { error: refusal });
  }
}
