import { type AbortOptions, type Logger, MicroError } from '@ts-micro/core';
import { OptionChecks, type OptionNames, safeLogger } from '@ts-micro/kit';
import { checkSubject } from '../subject.ts';
import { parseCredentials, parseSeed, readCredentials, type UserCredentials } from './credentials.ts';
import { parseServers, type ServerAddress } from './server-list.ts';
import { checkTlsOptions } from './tls-material.ts';

/**
 * TLS material: PEM text, or names of files that are read at every connect. Further options of Node's `tls.connect` are
 * passed on.
 */
export interface NatsTlsOptions {
  readonly ca?: string | undefined;
  readonly caFile?: string | undefined;
  readonly cert?: string | undefined;
  readonly certFile?: string | undefined;
  readonly key?: string | undefined;
  readonly keyFile?: string | undefined;
  /** TLS before the server's first word; the server must be configured so. @default false */
  readonly handshakeFirst?: boolean | undefined;
  /** The name that the certificate of every server must have. @default the host that was configured */
  readonly servername?: string | undefined;
  readonly [option: string]: unknown;
}

export interface NatsOptions extends AbortOptions {
  /**
   * `a:4222,b:4222` or an array; `nats://` and `tls://` may lead, and `user:password@` or `token@` be before the host.
   * Credentials and `tls://` are for that server and those that it tells of, and no other of the list. The order is
   * shuffled. @default '127.0.0.1:4222'
   */
  readonly servers?: string | readonly string[] | undefined;
  /**
   * Uses the configured servers only, not those that the cluster tells of: for clusters whose addresses cannot be
   * reached from here. @default false
   */
  readonly ignoreGossip?: boolean | undefined;
  /** The connection's name in the server's monitoring. */
  readonly name?: string | undefined;
  /**
   * TLS with these; `true` for the system's certificates. Without it TLS is used with a server that is `tls://`, or
   * offers it.
   */
  readonly tls?: boolean | NatsTlsOptions | undefined;
  /** For every server without credentials of its own in `servers`. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** The seed of an nkey: `SU...`. */
  readonly nkeySeed?: string | undefined;
  /** The content of a `.creds` file: a JWT and the seed to it. */
  readonly credentials?: string | undefined;
  /**
   * The name of a `.creds` file, instead of `credentials`: it is read at every connect, as it may be replaced before
   * the JWT in it expires. Where it cannot be read at a reconnect, what was read last is used, and the log says so.
   */
  readonly credentialsFile?: string | undefined;
  /**
   * The prefix of fresh reply subjects; a least-privilege account may only subscribe below its own. @default '_INBOX'
   */
  readonly inboxPrefix?: string | undefined;
  /** Bounds the first connect over all servers, and waits of `ready()` without a signal. @default 5000 */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Keep trying to connect until the signal aborts, instead of failing when no server is there. Refused credentials
   * still end it, and whoever waits for a plugin has a bound of its own: a service's start 30 s. @default false
   */
  readonly waitForFirstConnect?: boolean | undefined;
  /**
   * How often a silent link is tried; one that has died without a word is found within three of these. @default 4000
   */
  readonly pingIntervalMs?: number | undefined;
  readonly logger?: Logger | undefined;
}

/** {@link NatsOptions} checked, with defaults filled in. */
export interface NatsSettings {
  readonly servers: readonly ServerAddress[];
  readonly ignoreGossip: boolean;
  readonly name: string | undefined;
  readonly tls: NatsTlsOptions | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  readonly nkeySeed: Uint8Array | undefined;
  /** Reads them as they are now; throws `invalid` where that is not possible. */
  readonly credentials: (() => UserCredentials) | undefined;
  readonly inboxPrefix: string;
  readonly connectTimeoutMs: number;
  readonly waitForFirstConnect: boolean;
  readonly pingIntervalMs: number;
  readonly logger: Logger;
}

const who = 'nats';
const checks = new OptionChecks(who);

/** The names of {@link NatsOptions} but its signal. */
export const connectOptionNames: OptionNames<Omit<NatsOptions, 'signal'>> = {
  servers: ['address', 'addresses', 'host', 'hosts', 'url', 'urls', 'uri'],
  ignoreGossip: true,
  name: true,
  tls: true,
  user: ['username'],
  password: ['pass'],
  token: true,
  nkeySeed: true,
  credentials: true,
  credentialsFile: ['creds'],
  inboxPrefix: true,
  connectTimeoutMs: true,
  waitForFirstConnect: true,
  pingIntervalMs: true,
  logger: ['log'],
};

/** Throws `invalid` for a name that is a slip for the name of an option. */
export function checkNatsOptionNames(options: NatsOptions): void {
  checks.named(options, { ...connectOptionNames, signal: true });
}

/** Throws `invalid` naming the option and its value, never a credential. */
export function checkNatsOptions(options: NatsOptions): NatsSettings {
  const { inboxPrefix = '_INBOX', connectTimeoutMs = 5000, pingIntervalMs = 4000, tls } = options;
  const { ignoreGossip = false, waitForFirstConnect = false } = options;
  const servers = parseServers(options.servers, who);
  for (const option of ['name', 'user', 'password', 'token', 'nkeySeed', 'credentials', 'credentialsFile'] as const) {
    const value = options[option];
    if (value !== undefined && typeof value !== 'string') {
      throw new MicroError('invalid', `${who}: option ${option} is of type ${typeof value}`);
    }
  }
  checks.boolean('ignoreGossip', ignoreGossip);
  checks.boolean('waitForFirstConnect', waitForFirstConnect);
  if (tls !== undefined && typeof tls !== 'boolean' && (typeof tls !== 'object' || tls === null)) {
    // Without the value, which may be a key.
    throw new MicroError('invalid', `${who}: option tls is of type ${typeof tls}, not true, false or an object`);
  }
  if (typeof tls === 'object') checkTlsOptions(tls, who);
  checkSubject(inboxPrefix, `${who}: option inboxPrefix`);
  checks.milliseconds('connectTimeoutMs', connectTimeoutMs);
  checks.milliseconds('pingIntervalMs', pingIntervalMs);
  return {
    servers,
    ignoreGossip,
    name: options.name,
    tls: typeof tls === 'object' ? tls : tls === true ? {} : undefined,
    user: options.user,
    password: options.password,
    token: options.token,
    nkeySeed: options.nkeySeed === undefined ? undefined : parseSeed(options.nkeySeed, who),
    credentials: credentialsOf(options),
    inboxPrefix,
    connectTimeoutMs,
    waitForFirstConnect,
    pingIntervalMs,
    logger: safeLogger(options.logger),
  };
}

function credentialsOf({ credentials, credentialsFile }: NatsOptions): (() => UserCredentials) | undefined {
  if (credentials !== undefined && credentialsFile !== undefined) {
    throw new MicroError('invalid', `${who}: options credentials and credentialsFile exclude each other`);
  }
  if (credentialsFile !== undefined) {
    readCredentials(credentialsFile, who);
    return () => readCredentials(credentialsFile, who);
  }
  if (credentials === undefined) return undefined;
  const parsed = parseCredentials(credentials, `${who}: option credentials`);
  return () => parsed;
}
