import type { AbortOptions } from '@ts-micro/core';
import { abortable } from '@ts-micro/kit';
import type { NatsConnection } from '../connection/connection.ts';

/** How often unconfirmed messages are asked after. */
const markIntervalMs = 100;

/**
 * Tells what becomes of messages written to a connection: `confirmed` once the server has answered a ping that came
 * after them, `uncertain` where the connection was lost before. Who publishes calls `wrote` for each.
 *
 * One ping at a time is on its way while there is anything to confirm, at most ten a second.
 */
export class PublishTracker {
  readonly #connection: NatsConnection;
  readonly #onUncertain: (count: number) => void;
  readonly #unfollow: () => void;
  #open = 0;
  #confirmed = 0;
  /** Open when the ping under way was sent. */
  #covered = 0;
  /** Counts losses: a mark that was set before one confirms nothing. */
  #losses = 0;
  #timer: NodeJS.Timeout | undefined;
  #marking: Promise<boolean> | undefined;

  /**
   * `onUncertain` is called once for each loss, with how many messages were written before it and not yet confirmed.
   */
  constructor(connection: NatsConnection, onUncertain: (count: number) => void) {
    this.#connection = connection;
    this.#onUncertain = onUncertain;
    this.#unfollow = connection.onStateChange(({ status }) => {
      if (status !== 'connected' && status !== 'draining') this.#lose();
    });
  }

  /** Written and neither confirmed nor uncertain yet. */
  get open(): number {
    return this.#open;
  }

  get confirmed(): number {
    return this.#confirmed;
  }

  /** A message was written. */
  wrote(): void {
    this.#open++;
    if (this.#timer === undefined) this.#schedule();
  }

  /** The server refused one: it is neither open nor confirmed any more. */
  denied(): void {
    if (this.#open === 0) {
      this.#confirmed--;
      return;
    }
    this.#open--;
    if (this.#covered > 0) this.#covered--;
  }

  /** Resolves once nothing is open, the server does not answer, or the signal aborts. Never rejects. */
  async settle({ signal }: AbortOptions = {}): Promise<void> {
    let isAnswered = true;
    while (this.#open > 0 && isAnswered) {
      isAnswered = await abortable(this.#mark(), signal, 'nats').catch(() => false);
    }
  }

  /** Whatever is open then is uncertain. */
  close(): void {
    this.#unfollow();
    clearTimeout(this.#timer);
    this.#lose();
  }

  #schedule(): void {
    this.#timer = setTimeout(async () => {
      await this.#mark();
      this.#timer = undefined;
      if (this.#open > 0) this.#schedule();
    }, markIntervalMs).unref();
  }

  /** A ping after what is open now; joins the one under way. False where it was not answered. */
  #mark(): Promise<boolean> {
    this.#marking ??= this.#askServer().finally(() => {
      this.#marking = undefined;
    });
    return this.#marking;
  }

  async #askServer(): Promise<boolean> {
    this.#covered = this.#open;
    const losses = this.#losses;
    try {
      await this.#connection.flush();
    } catch {
      // Without an answer in time a later ping confirms, or the loss of the connection tells; one that is ending tells
      // nothing any more.
      if (this.#connection.state.status !== 'connected') this.#lose();
      return false;
    }
    if (losses === this.#losses) {
      this.#open -= this.#covered;
      this.#confirmed += this.#covered;
    }
    this.#covered = 0;
    return true;
  }

  #lose(): void {
    this.#losses++;
    this.#covered = 0;
    const count = this.#open;
    this.#open = 0;
    if (count > 0) this.#onUncertain(count);
  }
}
