import { createClient } from '@redis/client';
import { type AbortOptions, abortable, bounded, MicroError } from '@ts-micro/core';

export type RedisClient = ReturnType<typeof createClient>;

/** The milliseconds on Redis' clock. */
export async function timeOf(redis: RedisClient): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1000 + Number(microseconds) / 1000;
}

/** One connection to Redis, made at its first use; from then on it comes back by itself, with its subscriptions. */
export class RedisLink {
  /** `host:port`. */
  readonly address: string;
  readonly #who: string;
  readonly #redis: RedisClient;
  readonly #onReconnect: (redis: RedisClient) => Promise<void>;
  #connecting: Promise<unknown> | undefined;
  #state: 'new' | 'connected' | 'ended' = 'new';

  /** `onReconnect` puts right what an outage put wrong; it is tried until it succeeds. Throws `invalid` where `url` is none. */
  constructor(url: string, who: string, onReconnect: (redis: RedisClient) => Promise<void> = async () => {}) {
    if (!/^rediss?:/.test(url) || !URL.canParse(url)) throw new MicroError('invalid', `${who}: url is no redis://...`);
    this.address = new URL(url).host;
    this.#who = who;
    this.#onReconnect = onReconnect;
    const reconnectStrategy = (tries: number, cause: Error) =>
      this.#state === 'connected' ? 50 * Math.min(tries, 10) : cause;
    // Who answers no ping is gone, and no command waits for a reconnect.
    const socket = { connectTimeout: 5000, socketTimeout: 15_000, reconnectStrategy };
    this.#redis = createClient({ url, socket, pingInterval: 5000, disableOfflineQueue: true });
    this.#redis.on('error', () => {});
    this.#redis.on('ready', () => {
      const was = this.#state;
      if (was === 'ended') this.#redis.destroy();
      else this.#state = 'connected';
      if (was === 'connected') void this.#restore();
    });
  }

  /** Runs a command. Errors: `unavailable`, `unauthorized`, and those of the signal. */
  async use<T>(command: (redis: RedisClient) => Promise<T>, { signal }: AbortOptions = {}): Promise<T> {
    try {
      if (this.#state !== 'ended') this.#connecting ??= this.#redis.connect();
      await abortable(this.#connecting ?? Promise.resolve(), signal, this.#who);
      // Checked here, because the client lets a SUBSCRIBE wait for a connection, for ever where none comes.
      if (!this.#redis.isReady) throw new MicroError('unavailable', `${this.#who}: not connected`, { retrySafe: true });
      return await abortable(command(this.#redis), signal, this.#who);
    } catch (error) {
      if (!this.#redis.isOpen) this.#connecting = undefined;
      const isRefused = /^(NOAUTH|WRONGPASS|NOPERM)/.test((error as Error).message);
      throw MicroError.from(error, isRefused ? 'unauthorized' : 'unavailable', this.#who);
    }
  }

  /** Makes what subscribes to a channel, once however often it is called, and hears of it again after every reconnect. */
  feed(channel: string, onMessage: (text: string) => void): (options?: AbortOptions) => Promise<void> {
    const listener = (text: string) => {
      try {
        onMessage(text);
      } catch {
        // It would end in the client's parser. It is about a message that somebody else made.
      }
    };
    return (options) => this.use((redis) => redis.subscribe(channel, listener), options);
  }

  /** Runs the last commands where it is connected, and closes it. Bounded: then it rejects with `timeout` or `canceled`, and is closed all the same. */
  async end(last: (redis: RedisClient) => Promise<unknown>, options: AbortOptions = {}): Promise<void> {
    const leave = () => last(this.#redis).then(() => this.#redis.close());
    try {
      if (this.#redis.isReady) await bounded(leave(), options, 5000, `${this.#who}: closing with commands under way`);
    } finally {
      this.#state = 'ended';
      this.#connecting = undefined;
      this.#redis.destroy();
    }
  }

  /** Makes an ended one usable again. */
  reopen(): void {
    if (this.#state === 'ended') this.#state = 'new';
  }

  async #restore(): Promise<void> {
    try {
      await this.#onReconnect(this.#redis);
    } catch {
      // Where it is gone again, it comes back again.
      if (this.#redis.isReady) setTimeout(() => void this.#restore(), 500).unref();
    }
  }
}
