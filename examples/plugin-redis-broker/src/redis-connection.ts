import { createClient } from '@redis/client';
import { type AbortOptions, abortable, bounded, MicroError } from '@ts-micro/core';

type Client = ReturnType<typeof createClient>;

const who = 'redis broker';

/** A connection made at its first use; from then on it comes back by itself, with its subscriptions. */
export class RedisConnection {
  readonly #url: string;
  #client: Promise<Client> | undefined;
  isEnded = false;

  constructor(url: string) {
    this.#url = url;
  }

  /** Runs a command. Errors: `unavailable`, `unauthorized`, and those of the signal. */
  async use<T>(command: (client: Client) => Promise<T>, { signal }: AbortOptions = {}): Promise<T> {
    try {
      if (this.isEnded) throw new MicroError('unavailable', `${who}: disconnected`, { retrySafe: true });
      this.#client ??= connect(this.#url, () => (this.#client = undefined));
      const client = await abortable(this.#client, signal, who);
      return await abortable(command(client), signal, who);
    } catch (error) {
      const isRefused = /^(NOAUTH|WRONGPASS|NOPERM)/.test((error as Error).message);
      throw MicroError.from(error, isRefused ? 'unauthorized' : 'unavailable', who);
    }
  }

  /** Waits for commands under way, then closes; `isEnded` refuses further ones. */
  async end({ signal }: AbortOptions): Promise<void> {
    this.isEnded = true;
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    // An attempt to reconnect that is under way would succeed after the end.
    client?.on('ready', () => client.destroy());
    try {
      if (client?.isReady) await bounded(client.close(), { signal }, 5000, `${who}: closing with commands under way`);
    } finally {
      client?.destroy();
    }
  }
}

async function connect(url: string, onFailure: () => void): Promise<Client> {
  let isConnected = false;
  const reconnectStrategy = (tries: number, cause: Error) => (isConnected ? Math.min(50 * tries, 500) : cause);
  const socket = { connectTimeout: 5000, socketTimeout: 15_000, reconnectStrategy };
  // No offline queue: nothing waits for a reconnect. And a server that answers no ping is gone.
  const client: Client = createClient({ url, socket, pingInterval: 5000, disableOfflineQueue: true });
  client.on('error', () => {});
  await client.connect().catch((error) => {
    onFailure();
    throw error;
  });
  isConnected = true;
  return client;
}
