import { type AbortOptions, type Logger, MicroError } from '@ts-micro/core';
import { abortable, type OptionNames, throwIfAborted } from '@ts-micro/kit';
import type { VendorConnection } from '../link/vendor-connection.ts';
import { connectNats } from './connect-nats.ts';
import type { NatsConnection } from './connection.ts';
import { checkNatsOptions, connectOptionNames, type NatsOptions } from './nats-options.ts';
import type { ServerAddress } from './server-list.ts';
import { wrapNatsConnection } from './wrap-connection.ts';

/** The options of every NATS plugin: a connection to borrow, or how to connect. */
export interface NatsPluginOptions extends Omit<NatsOptions, 'signal'> {
  /**
   * Borrowed and never closed: one of `connectNats`, or of the NATS client (`nats` 2.x, `@nats-io/*` 3.x). Excludes
   * `servers`; what else is about connecting is as the connection was made.
   */
  readonly connection?: NatsConnection | VendorConnection | undefined;
}

/** The names of {@link NatsPluginOptions}. */
export const natsOptionNames: OptionNames<NatsPluginOptions> = { ...connectOptionNames, connection: true };

/** A plugin's hold on a connection: nothing is connected before `get()`. */
export interface SharedConnection {
  /** The server connected to, else the first configured, as `host:port`; empty where that is not known. */
  readonly address: string;
  /** Every configured server as `host:port`; of a borrowed connection those it knows. */
  readonly addresses: readonly string[];
  /** The connection that `get()` gave, until `release()`. */
  readonly current: NatsConnection | undefined;
  /**
   * True while it is connected with every subscription in place; false also where the last `get()` failed or still
   * waits; `undefined` before the first.
   */
  readonly isConnected: boolean | undefined;
  /** Why `isConnected` is false: what the server said or the last try to reach one met, where that is known. */
  readonly outage: MicroError | undefined;
  /**
   * Connects, or joins those who did with equal options; what was connected before is given at once, in an outage too.
   * After `release()` it connects anew. Errors: those of `connectNats`; `closed` where released meanwhile.
   */
  get(options?: AbortOptions): Promise<NatsConnection>;
  /**
   * Gives the connection back; the last of those who share it closes it, no longer than the signal allows, and a
   * borrowed one stays open. Idempotent.
   */
  release(options?: AbortOptions): Promise<void>;
}

/** Throws `invalid` naming the option. */
export function shareConnection(options: NatsPluginOptions = {}): SharedConnection {
  const { connection, ...connectOptions } = options;
  if (connection === undefined) return new CountedConnection(connectOptions);
  if (options.servers !== undefined && options.servers.length > 0) {
    throw new MicroError('invalid', 'nats: options connection and servers exclude each other');
  }
  return new BorrowedConnection(connection, options.logger);
}

class BorrowedConnection implements SharedConnection {
  readonly #connection: NatsConnection;
  #isHeld = false;

  constructor(connection: NatsConnection | VendorConnection, logger: Logger | undefined) {
    this.#connection =
      typeof connection === 'object' && connection !== null && 'onStateChange' in connection
        ? connection
        : wrapNatsConnection(connection, logger);
  }

  get address(): string {
    return this.#connection.address;
  }

  get addresses(): readonly string[] {
    return this.#connection.state.servers;
  }

  get current(): NatsConnection | undefined {
    return this.#isHeld ? this.#connection : undefined;
  }

  get isConnected(): boolean | undefined {
    return isConnected(this.current);
  }

  get outage(): MicroError | undefined {
    return this.current?.outage;
  }

  async get(options?: AbortOptions): Promise<NatsConnection> {
    throwIfAborted(options?.signal, 'nats: connecting');
    // In an outage whoever uses it is refused at once, as on one that is shared, and not first made to wait.
    if (this.#connection.state.status !== 'reconnecting') await this.#connection.ready(options);
    this.#isHeld = true;
    return this.#connection;
  }

  async release(): Promise<void> {
    this.#isHeld = false;
  }
}

function isConnected(connection: NatsConnection | undefined): boolean | undefined {
  return connection && connection.state.status === 'connected' && connection.state.lost.length === 0;
}

/** One connection and those who share it. */
interface Share {
  readonly key: string;
  readonly dialling: Promise<NatsConnection>;
  readonly abandon: AbortController;
  connection: NatsConnection | undefined;
  holders: number;
}

const shares = new Map<string, Share>();

class CountedConnection implements SharedConnection {
  readonly #options: NatsOptions;
  readonly #key: string;
  readonly addresses: readonly string[];
  #share: Share | undefined;
  #hasTried = false;
  /** Of the last `get()`. */
  #failure: MicroError | undefined;

  constructor(options: NatsOptions) {
    const { servers } = checkNatsOptions(options);
    this.addresses = [...new Set(servers.map((server) => server.address))];
    this.#options = options;
    this.#key = keyOf(options, servers);
  }

  get address(): string {
    return this.current?.address ?? this.addresses[0] ?? '';
  }

  get current(): NatsConnection | undefined {
    return this.#share?.connection;
  }

  get isConnected(): boolean | undefined {
    return isConnected(this.current) ?? (this.#hasTried ? false : undefined);
  }

  get outage(): MicroError | undefined {
    return this.current === undefined ? this.#failure : this.current.outage;
  }

  async get(options: AbortOptions = {}): Promise<NatsConnection> {
    if (this.#share?.connection?.state.status === 'closed') await this.release();
    this.#hasTried = true;
    const share = this.#share ?? this.#join();
    try {
      const connection = await abortable(share.dialling, options.signal, 'nats: connecting');
      if (this.#share === share) return connection;
    } catch (error) {
      this.#failure = MicroError.is(error) ? error : undefined;
      if (!share.abandon.signal.aborted) throw error;
    }
    throw new MicroError('closed', 'nats: the connection was released while connecting');
  }

  async release(options?: AbortOptions): Promise<void> {
    const share = this.#share;
    this.#hasTried = false;
    this.#failure = undefined;
    if (share === undefined) return;
    this.#share = undefined;
    share.holders--;
    if (share.holders > 0) return;
    if (shares.get(share.key) === share) shares.delete(share.key);
    share.abandon.abort();
    const connection = await share.dialling.catch(() => undefined);
    await connection?.close(options);
  }

  #join(): Share {
    let share = shares.get(this.#key);
    if (share === undefined || share.connection?.state.status === 'closed') {
      share = openShare(this.#key, this.#options);
      shares.set(this.#key, share);
    }
    const joined = share;
    joined.holders++;
    this.#share = joined;
    // A failed connect is not kept: the next get() tries anew.
    joined.dialling.catch(() => {
      if (this.#share === joined) this.#share = undefined;
    });
    return joined;
  }
}

function openShare(key: string, options: NatsOptions): Share {
  const abandon = new AbortController();
  const dialling = connectNats({ ...options, signal: abandon.signal });
  const share: Share = { key, dialling, abandon, connection: undefined, holders: 0 };
  dialling.then(
    (connection) => {
      share.connection = connection;
    },
    () => {
      if (shares.get(key) === share) shares.delete(key);
    },
  );
  return share;
}

const identities = new WeakMap<object, number>();
let identityCount = 0;

/**
 * Equal for options that may share a connection: plain values and the options of TLS by value, other objects and
 * functions by identity. The logger does not count.
 */
function keyOf(options: NatsOptions, addresses: readonly ServerAddress[]): string {
  const { logger, signal, servers, tls, ...rest } = options;
  return JSON.stringify([addresses, typeof tls === 'object' ? partsOf(tls) : tls, partsOf(rest)]);
}

function partsOf(options: object): readonly (readonly [string, unknown])[] {
  return Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => [
      name,
      (typeof value === 'object' && value !== null) || typeof value === 'function' ? identityOf(value) : value,
    ]);
}

function identityOf(value: object): number {
  let identity = identities.get(value);
  if (identity === undefined) {
    identity = ++identityCount;
    identities.set(value, identity);
  }
  return identity;
}
