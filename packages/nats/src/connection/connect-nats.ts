import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { type AbortOptions, MicroError } from '@ts-micro/core';
import { abortable, pause, throwIfAborted } from '@ts-micro/kit';
import { type Authenticator, type ConnectionOptions, connect, credsAuthenticator, nkeyAuthenticator } from 'nats';
import { mapNatsError } from '../error.ts';
import { NatsLink } from '../link/link.ts';
import type { VendorConnection } from '../link/vendor-connection.ts';
import { type DialOptions, useDialTransport } from '../vendor/dial-transport.ts';
import { abandonDial, addServers, currentHost, destroySocket, messageWriter } from '../vendor/vendor-internals.ts';
import type { NatsConnection } from './connection.ts';
import { checkNatsOptions, type NatsOptions, type NatsSettings, type NatsTlsOptions } from './nats-options.ts';
import type { ServerAddress } from './server-list.ts';

const reconnectWaitMs = 200;
const reconnectJitterMs = 100;
// What the server said before it ended the link goes first.
const lastWordsMs = 100;

// An option that the client reads and does not declare: how many bytes it gathers within one turn before it writes. Its own 32 KiB are a few
// messages of 4 KiB, and each write is a system call.
const writeMore = { pendingLimit: 128 * 1024 };

/**
 * Connects to NATS; reconnects without end from then on.
 *
 * The caller owns the connection: plugins given it as `{ connection }` borrow it, and none of them closes it.
 * Errors: `invalid` (an option), `unauthorized` (at once, naming the server), `unavailable` (no server within `connectTimeoutMs`), or as the signal aborts.
 */
export async function connectNats(options: NatsOptions = {}): Promise<NatsConnection> {
  const settings = checkNatsOptions(options);
  const { signal } = options;
  throwIfAborted(signal, 'nats: connecting');
  for (;;) {
    try {
      return await connectOnce(settings, { signal });
    } catch (error) {
      const isLater = settings.waitForFirstConnect && MicroError.is(error, 'unavailable');
      if (!isLater) throw error;
      settings.logger.debug('nats server not reached, trying again', { error });
    }
    await pause(reconnectWaitMs + Math.random() * reconnectJitterMs, { signal });
    throwIfAborted(signal, 'nats: connecting');
  }
}

/** Tries each server in turn, each with its share of the time that is left. */
async function connectOnce(settings: NatsSettings, { signal }: AbortOptions): Promise<NatsConnection> {
  const servers = shuffled(settings.servers);
  const deadline = performance.now() + settings.connectTimeoutMs;
  const failures: MicroError[] = [];
  for (const [index, server] of servers.entries()) {
    const budgetMs = Math.max(1, (deadline - performance.now()) / (servers.length - index));
    try {
      const vendor = await dial(server, settings, budgetMs, signal);
      addServers(
        vendor,
        servers.filter((other) => other !== server).map((other) => other.address),
      );
      return linkOf(vendor, settings);
    } catch (error) {
      const failure = mapNatsError(error, `nats: connecting to ${server.address}`);
      if (failure.code !== 'unavailable') throw failure;
      failures.push(failure);
    }
  }
  if (failures.length === 1) throw failures[0];
  const addresses = servers.map((server) => server.address).join(', ');
  throw new MicroError('unavailable', `nats: connecting to ${addresses}: none is there`, {
    cause: new AggregateError(failures),
    retrySafe: true,
  });
}

async function dial(
  server: ServerAddress,
  settings: NatsSettings,
  budgetMs: number,
  signal: AbortSignal | undefined,
): Promise<VendorConnection> {
  let connected: VendorConnection | undefined;
  const hostOf = () =>
    (connected && currentHost(connected)) ?? server.address.slice(0, server.address.lastIndexOf(':'));
  const abandon = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let endTimer: NodeJS.Timeout | undefined;
  let isOver = false;
  let onEnd = (_error: unknown): void => {};
  const ended = new Promise<never>((_, reject) => {
    onEnd = (error) => {
      if (!isOver) endTimer ??= setTimeout(() => reject(endOf(error, settings.tls)), lastWordsMs);
    };
  });
  const options: DialOptions = { ...vendorOptions(server, settings, hostOf), abandoned: abandon.signal, onEnd };
  const dialling = connect(options);
  useDialTransport();
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `nats: connecting to ${server.address}: no answer within ${Math.round(budgetMs)} ms`;
      reject(new MicroError('unavailable', message, { retrySafe: true }));
    }, budgetMs);
  });
  try {
    connected = await abortable(Promise.race([dialling, ended, late]), signal, `nats: connecting to ${server.address}`);
    return connected;
  } catch (error) {
    abandon.abort(error);
    // It may have come through all the same.
    dialling.then(
      (vendor) => vendor.close(),
      () => {},
    );
    if (MicroError.is(error)) throw error;
    const { code, message, cause } = mapNatsError(error, `nats: connecting to ${server.address}`);
    // Whatever is not a refusal means that no NATS server is to be had there. Nothing can have run before the first connect.
    const isRefused = code === 'unauthorized' || code === 'invalid' || code === 'unsupported';
    throw new MicroError(isRefused ? code : 'unavailable', message, { cause, retrySafe: true });
  } finally {
    isOver = true;
    clearTimeout(timer);
    clearTimeout(endTimer);
  }
}

/** Why a link ended while connecting. */
function endOf(error: unknown, tls: NatsTlsOptions | undefined): unknown {
  if (error === undefined) return new Error('the server ended the connection');
  const { code, message } = error as NodeJS.ErrnoException;
  const hasCertificate = tls?.cert !== undefined || tls?.certFile !== undefined;
  if (tls === undefined || hasCertificate || (code !== 'ECONNRESET' && code !== 'EPIPE')) return error;
  // With TLS 1.3 the server refuses after the handshake, and its reset may overtake what it said. That it was this is likely, not certain.
  const text = `TLS: reset right after the handshake, as by a server that wants a client certificate (${message})`;
  return Object.assign(new Error(text, { cause: error }), { code });
}

function linkOf(vendor: VendorConnection, settings: NatsSettings): NatsConnection {
  return new NatsLink(vendor, {
    servers: settings.servers.map((server) => server.address),
    inboxPrefix: settings.inboxPrefix,
    connectTimeoutMs: settings.connectTimeoutMs,
    logger: settings.logger,
    own: {
      dropStale: () => destroySocket(vendor),
      afterClose: () => abandonDial(vendor),
      write: messageWriter(vendor),
    },
  });
}

function vendorOptions(server: ServerAddress, settings: NatsSettings, hostOf: () => string): ConnectionOptions {
  const authenticators = authenticatorsOf(settings);
  return {
    servers: [server.address],
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMs,
    reconnectJitter: reconnectJitterMs,
    reconnectJitterTLS: reconnectJitterMs,
    timeout: settings.connectTimeoutMs,
    pingInterval: settings.pingIntervalMs,
    maxPingOut: 2,
    noAsyncTraces: true,
    ...writeMore,
    // A server that refuses now (restarted with other accounts, an auth service away) may welcome later: keep trying, and say so in the log.
    ignoreAuthErrorAbort: true,
    inboxPrefix: settings.inboxPrefix,
    ...(settings.name !== undefined && { name: settings.name }),
    ...(settings.tls !== undefined && { tls: tlsOptions(settings.tls, hostOf) }),
    ...(settings.user !== undefined && { user: settings.user }),
    ...(settings.password !== undefined && { pass: settings.password }),
    ...(settings.token !== undefined && { token: settings.token }),
    ...(authenticators.length > 0 && { authenticator: authenticators }),
  };
}

/** The client takes a server that is given by its IP address for `localhost`, and checks the certificate against that. */
function tlsOptions(tls: NatsTlsOptions, hostOf: () => string): NonNullable<ConnectionOptions['tls']> {
  const checkIdentity = (name: string, certificate: PeerCertificate) => {
    const host = hostOf().replace(/^\[|\]$/g, '');
    return checkServerIdentity(isIP(host) > 0 ? host : name, certificate);
  };
  return { checkServerIdentity: checkIdentity, ...tls } as NonNullable<ConnectionOptions['tls']>;
}

function authenticatorsOf({ nkeySeed, credentials }: NatsSettings): Authenticator[] {
  const encoder = new TextEncoder();
  const authenticators: Authenticator[] = [];
  if (nkeySeed !== undefined) authenticators.push(nkeyAuthenticator(encoder.encode(nkeySeed.trim())));
  if (credentials !== undefined) authenticators.push(credsAuthenticator(encoder.encode(credentials)));
  return authenticators;
}

function shuffled<T>(items: readonly T[]): T[] {
  const keyed = items.map((item) => ({ item, key: Math.random() }));
  return keyed.sort((left, right) => left.key - right.key).map(({ item }) => item);
}
