import { type AbortOptions, type ErrorCode, MicroError } from '@ts-micro/core';
import { abortable, throwIfAborted } from './abort.ts';
import { bounded } from './bounded.ts';
import { pause } from './timers.ts';

export interface LazyConnectionOptions<Client> {
  /** Begins every message: `redis broker`. */
  readonly what: string;
  /**
   * Makes a client and resolves once it is connected. Has a bound of its own, and leaves nothing open where it rejects.
   */
  readonly dial: () => Promise<Client>;
  /** Whether a client can be used now; until it comes back by itself, calls are refused. */
  readonly isReady: (client: Client) => boolean;
  /**
   * Resolves once a client is lost and does not come back by itself. The calls under way are failed, the client is let
   * go of, and another one is dialled: by the next call, and in the background with growing pauses. Leave it out for a
   * client that reconnects by itself, and that rejects what is under way when it loses its server.
   */
  readonly whenLost?: ((client: Client) => Promise<unknown>) | undefined;
  /** Runs on every new client before any call does, as to subscribe again. Where it rejects, so does the dial. */
  readonly prepare?: ((client: Client) => Promise<unknown>) | undefined;
  /** Says goodbye and finishes what is under way; only called where it is ready. */
  readonly close: (client: Client) => Promise<unknown>;
  /** Lets go of a client, also of one that is closed already. */
  readonly destroy: (client: Client) => void;
  /** The code for what the client throws. @default `unavailable` for everything */
  readonly codeOf?: ((error: unknown) => ErrorCode) | undefined;
  /** How long {@link LazyConnection.end} waits for `close`, in milliseconds. @default 5000 */
  readonly closeTimeoutMs?: number | undefined;
}

const firstRedialMs = 100;
const longestRedialMs = 2000;

/**
 * A vendor's client that all calls of a backend share: dialled by the first of them, and by the next one where that
 * failed. Each call waits only as long as its own signal allows, and none waits for a client that was lost or ended.
 */
export class LazyConnection<Client> {
  readonly #options: LazyConnectionOptions<Client>;
  /** Fails each call that is under way on the current client. */
  readonly #underWay = new Set<(error: MicroError) => void>();
  #dialling: Promise<Client> | undefined;
  #client: Client | undefined;
  #isLost = false;
  /** Aborted by the end, until it is reopened. */
  #life: AbortController = new AbortController();

  constructor(options: LazyConnectionOptions<Client>) {
    this.#options = options;
  }

  /** Whether calls reach the backend: `false` where it was lost or cannot be dialled, else `undefined` at first. */
  get isConnected(): boolean | undefined {
    if (this.#client !== undefined) return this.#options.isReady(this.#client);
    return this.#isLost ? false : undefined;
  }

  /**
   * Runs `command` on the client; commands begin in the order of the calls. Rejects with `unavailable`, what `codeOf`
   * makes of an error, and the abort error of the signal; `retrySafe` where the command was not begun.
   */
  async use<T>(command: (client: Client) => Promise<T>, { signal }: AbortOptions = {}): Promise<T> {
    const { what, codeOf } = this.#options;
    throwIfAborted(signal, what);
    let isBegun = false;
    const begin = (client: Client): Promise<T> => {
      throwIfAborted(signal, what);
      isBegun = true;
      return this.#run(command, client);
    };
    try {
      // The signal is watched from outside: waiting takes as long with one as without, and no call overtakes another.
      return await abortable(this.#ready().then(begin), signal, what);
    } catch (error) {
      const failed = MicroError.from(error, codeOf?.(error) ?? 'unavailable', what);
      if (isBegun) throw failed;
      throw new MicroError(failed.code, failed.message, { cause: failed.cause, retrySafe: true });
    }
  }

  /**
   * Lets go of the client, after `close` where it is ready; calls are refused until {@link reopen}. Rejects with
   * `timeout` or `canceled` where that took too long.
   */
  async end(options: AbortOptions = {}): Promise<void> {
    const { what, isReady, close, closeTimeoutMs = 5000 } = this.#options;
    this.#life.abort();
    const client = this.#client;
    this.#client = undefined;
    this.#isLost = false;
    this.#dialling = undefined;
    if (client === undefined) return;
    try {
      if (isReady(client))
        await bounded(close(client), options, closeTimeoutMs, `${what}: closing with calls under way`);
    } finally {
      this.#letGo(client, 'disconnected with the call under way');
    }
  }

  /** Makes an ended one usable: the next call dials. */
  reopen(): void {
    if (this.#life.signal.aborted) this.#life = new AbortController();
  }

  async #ready(): Promise<Client> {
    if (this.#life.signal.aborted) throw this.#unavailable('disconnected');
    const client = await this.#dial();
    // Asked again, as it may have ended while it was dialled.
    if (client !== this.#client || !this.#options.isReady(client)) throw this.#unavailable('not connected');
    return client;
  }

  async #run<T>(command: (client: Client) => Promise<T>, client: Client): Promise<T> {
    let fail: (error: MicroError) => void = () => {};
    const lost = new Promise<never>((_, reject) => {
      fail = reject;
    });
    this.#underWay.add(fail);
    try {
      return await Promise.race([command(client), lost]);
    } finally {
      this.#underWay.delete(fail);
    }
  }

  #dial(): Promise<Client> {
    if (this.#dialling !== undefined) return this.#dialling;
    const dialling: Promise<Client> = this.#connect().then(
      (client) => {
        // Ended while it was dialled.
        if (this.#dialling !== dialling) this.#options.destroy(client);
        else this.#keep(client);
        return client;
      },
      (error) => {
        if (this.#dialling === dialling) {
          this.#dialling = undefined;
          this.#isLost = true;
        }
        throw error;
      },
    );
    this.#dialling = dialling;
    return dialling;
  }

  async #connect(): Promise<Client> {
    const { dial, prepare, destroy } = this.#options;
    const client = await dial();
    try {
      await prepare?.(client);
    } catch (error) {
      destroy(client);
      throw error;
    }
    return client;
  }

  #keep(client: Client): void {
    this.#client = client;
    this.#isLost = false;
    const onLost = () => this.#onLost(client);
    void this.#options.whenLost?.(client).then(onLost, onLost);
  }

  #onLost(client: Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#isLost = true;
    this.#dialling = undefined;
    this.#letGo(client, 'the connection was lost with the call under way');
    void this.#redial(this.#life.signal);
  }

  /** Those who are called by the backend, and call nobody, need a client as well. */
  async #redial(signal: AbortSignal): Promise<void> {
    for (let delayMs = firstRedialMs; ; delayMs = Math.min(delayMs * 2, longestRedialMs)) {
      // Half of it by chance, so that not all clients of a server come back at once.
      await pause(delayMs * (0.5 + Math.random() / 2), { signal, keepsAlive: false });
      if (signal.aborted || this.#client !== undefined) return;
      try {
        await this.#dial();
        return;
      } catch {
        // Told to the calls that wait for it, and tried again.
      }
    }
  }

  #letGo(client: Client, why: string): void {
    this.#options.destroy(client);
    const error = new MicroError('unavailable', `${this.#options.what}: ${why}`);
    for (const fail of this.#underWay) fail(error);
    this.#underWay.clear();
  }

  #unavailable(state: string): MicroError {
    return new MicroError('unavailable', `${this.#options.what}: ${state}`, { retrySafe: true });
  }
}
