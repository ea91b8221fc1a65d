import { type AbortOptions, type Logger, MicroError, silentLogger } from '@ts-micro/core';
import { checkSubject } from '../subject.ts';
import { parseServers, type ServerAddress } from './server-list.ts';

/** TLS material: PEM text, or names of files that are read at every connect. Further options of Node's `tls.connect` are passed on. */
export interface NatsTlsOptions {
  readonly ca?: string | undefined;
  readonly caFile?: string | undefined;
  readonly cert?: string | undefined;
  readonly certFile?: string | undefined;
  readonly key?: string | undefined;
  readonly keyFile?: string | undefined;
  /** TLS before the server's first word; the server must be configured so. @default false */
  readonly handshakeFirst?: boolean | undefined;
  readonly [option: string]: unknown;
}

export interface NatsOptions extends AbortOptions {
  /** `a:4222,b:4222` or an array; `nats://` and `tls://` may lead. The order is shuffled. @default '127.0.0.1:4222' */
  readonly servers?: string | readonly string[] | undefined;
  /** What the server's monitoring calls this connection. */
  readonly name?: string | undefined;
  /** TLS with these; `true` for the system's certificates. Without it TLS is used where a server is `tls://` or the server reached offers it. */
  readonly tls?: boolean | NatsTlsOptions | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** The seed of an nkey: `SU...`. */
  readonly nkeySeed?: string | undefined;
  /** The content of a `.creds` file: a JWT and the seed to it. */
  readonly credentials?: string | undefined;
  /** What begins fresh reply subjects; a least-privilege account may only subscribe below its own. @default '_INBOX' */
  readonly inboxPrefix?: string | undefined;
  /** Bounds the first connect over all servers, and waits of `ready()` without a signal. @default 5000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Keep trying to connect until the signal aborts, instead of failing when no server is there. Refused credentials still end it. @default false */
  readonly waitForFirstConnect?: boolean | undefined;
  /** How often a silent link is tried; one that has died without a word is found within three of these. @default 4000 */
  readonly pingIntervalMs?: number | undefined;
  readonly logger?: Logger | undefined;
}

/** {@link NatsOptions} checked, with defaults filled in. */
export interface NatsSettings {
  readonly servers: readonly ServerAddress[];
  readonly name: string | undefined;
  readonly tls: NatsTlsOptions | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  readonly nkeySeed: string | undefined;
  readonly credentials: string | undefined;
  readonly inboxPrefix: string;
  readonly connectTimeoutMs: number;
  readonly waitForFirstConnect: boolean;
  readonly pingIntervalMs: number;
  readonly logger: Logger;
}

const who = 'nats';

/** Throws `invalid` naming the option and its value, never a credential. */
export function checkNatsOptions(options: NatsOptions): NatsSettings {
  const { inboxPrefix = '_INBOX', connectTimeoutMs = 5000, pingIntervalMs = 4000, tls } = options;
  const servers = parseServers(options.servers, who);
  for (const option of ['name', 'user', 'password', 'token', 'nkeySeed', 'credentials'] as const) {
    const value = options[option];
    if (value !== undefined && typeof value !== 'string') {
      throw new MicroError('invalid', `${who}: option ${option} is of type ${typeof value}`);
    }
  }
  for (const option of ['tls', 'waitForFirstConnect'] as const) {
    const value: unknown = options[option];
    const isObject = option === 'tls' && typeof value === 'object' && value !== null;
    if (value !== undefined && typeof value !== 'boolean' && !isObject) {
      throw new MicroError('invalid', `${who}: option ${option} is ${String(value)}`);
    }
  }
  checkSubject(inboxPrefix, `${who}: option inboxPrefix`);
  checkMilliseconds('connectTimeoutMs', connectTimeoutMs);
  checkMilliseconds('pingIntervalMs', pingIntervalMs);
  const inUrl = servers.find((server) => server.user !== undefined);
  const isToken = inUrl !== undefined && inUrl.password === undefined;
  return {
    servers,
    name: options.name,
    tls: typeof tls === 'object' ? tls : tls === true || servers.some((server) => server.isTls) ? {} : undefined,
    user: options.user ?? (isToken ? undefined : inUrl?.user),
    password: options.password ?? inUrl?.password,
    token: options.token ?? (isToken ? inUrl.user : undefined),
    nkeySeed: options.nkeySeed,
    credentials: options.credentials,
    inboxPrefix,
    connectTimeoutMs,
    waitForFirstConnect: options.waitForFirstConnect ?? false,
    pingIntervalMs,
    logger: options.logger ?? silentLogger,
  };
}

function checkMilliseconds(option: string, value: unknown): void {
  if (typeof value === 'number' && value > 0 && value <= 2 ** 31 - 1) return;
  throw new MicroError('invalid', `${who}: option ${option} is ${String(value)}, not a number of milliseconds above 0`);
}
