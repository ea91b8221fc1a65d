import { type AbortOptions, type Logger, MicroError } from '@ts-micro/core';
import type { NatsConnection, NatsMessage, NatsSubscription } from '@ts-micro/nats';

export interface HeldAddressInit {
  readonly connection: NatsConnection;
  readonly address: string;
  readonly logger: Logger;
  readonly what: string;
  readonly onMessage: (received: NatsMessage) => void;
  /** The server took it away, also after a reconnect. */
  readonly onLost: (error: MicroError) => void;
}

/** A listener's hold on its address: the subscription, from its start to its last message. */
export class HeldAddress {
  readonly #init: HeldAddressInit;
  #subscription: NatsSubscription | undefined;

  constructor(init: HeldAddressInit) {
    this.#init = init;
  }

  /** Subscribes; resolves once the server has it. What was not confirmed is dropped, and can be tried again. */
  async take(options: AbortOptions): Promise<void> {
    const { connection, address, what, onMessage, onLost } = this.#init;
    const subscription = connection.subscribe(address, {
      onMessage,
      onError: (error) => onLost(MicroError.from(error, 'unauthorized', what)),
    });
    this.#subscription = subscription;
    try {
      await subscription.confirm(options);
    } catch (error) {
      subscription.unsubscribe();
      throw error;
    }
  }

  /**
   * Ends the subscription without losing a message between the server's last and its end, and sees the last replies
   * out.
   */
  async drain(signal: AbortSignal): Promise<void> {
    const { connection, logger } = this.#init;
    if (this.#subscription === undefined || connection.state.status !== 'connected') return;
    try {
      await this.#subscription.drain({ signal });
      await connection.flush({ signal });
    } catch (error) {
      logger.debug('nats listener was closed without seeing its last messages out', { error });
    }
  }

  drop(): void {
    this.#subscription?.unsubscribe();
  }
}
