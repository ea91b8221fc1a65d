import { type AbortOptions, type ErrorCode, MicroError } from '@ts-micro/core';
import { abortable, throwIfAborted } from './abort.ts';
import { bounded } from './bounded.ts';

export interface LazyConnectionOptions<Client> {
  /** Begins every message: `redis broker`. */
  readonly what: string;
  /** Makes a client and resolves once it is connected. Has a bound of its own, and leaves nothing open where it rejects. */
  readonly dial: () => Promise<Client>;
  /** Whether a client can be used now; until it comes back by itself, calls are refused. */
  readonly isReady: (client: Client) => boolean;
  /** Says goodbye and finishes what is under way; only called where it is ready. */
  readonly close: (client: Client) => Promise<unknown>;
  /** Lets go of a client, also of one that is closed already. */
  readonly destroy: (client: Client) => void;
  /** The code for what the client throws. @default `unavailable` for everything */
  readonly codeOf?: ((error: unknown) => ErrorCode) | undefined;
  /** How long {@link LazyConnection.end} waits for `close`, in milliseconds. @default 5000 */
  readonly closeTimeoutMs?: number | undefined;
}

/**
 * A vendor's client that all calls of a backend share: dialled by the first of them, and by the next one where that failed. Each call
 * waits only as long as its own signal allows, and none waits for a client that was lost.
 */
export class LazyConnection<Client> {
  readonly #options: LazyConnectionOptions<Client>;
  #dialling: Promise<Client> | undefined;
  #client: Client | undefined;
  #isEnded = false;

  constructor(options: LazyConnectionOptions<Client>) {
    this.#options = options;
  }

  /** Runs `command` on the client. Rejects with `unavailable`, what `codeOf` makes of an error, and the abort error of the signal. */
  async use<T>(command: (client: Client) => Promise<T>, { signal }: AbortOptions = {}): Promise<T> {
    const { what, codeOf } = this.#options;
    try {
      throwIfAborted(signal, what);
      if (this.#isEnded) throw this.#unavailable('disconnected');
      const client = await abortable(this.#dial(), signal, what);
      // Asked again, as it may have ended while it was dialled.
      if (client !== this.#client || !this.#options.isReady(client)) throw this.#unavailable('not connected');
      return await abortable(command(client), signal, what);
    } catch (error) {
      throw MicroError.from(error, codeOf?.(error) ?? 'unavailable', what);
    }
  }

  /** Lets go of the client, after `close` where it is ready; calls are refused until {@link reopen}. Rejects with `timeout` or `canceled` where that took too long. */
  async end(options: AbortOptions = {}): Promise<void> {
    const { what, isReady, close, destroy, closeTimeoutMs = 5000 } = this.#options;
    this.#isEnded = true;
    const client = this.#client;
    this.#client = undefined;
    this.#dialling = undefined;
    if (client === undefined) return;
    try {
      if (isReady(client))
        await bounded(close(client), options, closeTimeoutMs, `${what}: closing with calls under way`);
    } finally {
      destroy(client);
    }
  }

  /** Makes an ended one usable: the next call dials. */
  reopen(): void {
    this.#isEnded = false;
  }

  #dial(): Promise<Client> {
    if (this.#dialling !== undefined) return this.#dialling;
    const dialling: Promise<Client> = this.#options.dial().then(
      (client) => {
        if (this.#dialling === dialling) this.#client = client;
        // Ended while it was dialled.
        else this.#options.destroy(client);
        return client;
      },
      (error) => {
        if (this.#dialling === dialling) this.#dialling = undefined;
        throw error;
      },
    );
    this.#dialling = dialling;
    return dialling;
  }

  #unavailable(state: string): MicroError {
    return new MicroError('unavailable', `${this.#options.what}: ${state}`, { retrySafe: true });
  }
}
