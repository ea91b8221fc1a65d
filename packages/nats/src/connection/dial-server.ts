import { isIP } from 'node:net';
import { type Logger, MicroError } from '@ts-micro/core';
import { abortable, pause, RateLimitedLogger } from '@ts-micro/kit';
import type { ConnectionOptions } from 'nats';
import client from '#nats-client';
import { mapNatsError, serverError } from '../error.ts';
import { findHost } from '../find-host.ts';
import { NatsLink } from '../link/link.ts';
import type { VendorConnection } from '../link/vendor-connection.ts';
import { type Dialler, type DialOptions, type DialPlan, useDialTransport } from '../vendor/dial-transport.ts';
import { isReset, lastWords } from '../vendor/last-words.ts';
import { readMessages } from '../vendor/message-reader.ts';
import {
  abandonDial,
  addServers,
  checkInfos,
  destroySocket,
  messageWriter,
  orderServers,
  remoteIp,
  ServerEcho,
} from '../vendor/vendor-internals.ts';
import type { NatsConnection } from './connection.ts';
import type { NatsSettings, NatsTlsOptions } from './nats-options.ts';
import { isAnyReachable } from './reachable.ts';
import type { ServerAddress } from './server-list.ts';
import { hostOf, ServerPolicy } from './server-policy.ts';

export const reconnectWaitMs = 200;
export const reconnectJitterMs = 100;
// What the server said before it ended the link goes first.
const lastWordsMs = 100;
// A cluster may tell addresses that cannot be reached from here: between two tries of a server that can be, one of them
// may take this long.
const gossipBoundMs = 500;
const otherBoundMs = 2000;
const avoidMs = 60_000;

// An option that the client reads and does not declare: how many bytes it gathers within one turn before it writes. Its
// own 32 KiB are a few
// messages of 4 KiB, and each write is a system call.
const writeMore = { pendingLimit: 128 * 1024 };

/**
 * Connects to one server. What is not a refusal is `unavailable`. The others are where it goes when that one is lost.
 */
export async function dialServer(
  server: ServerAddress,
  servers: readonly ServerAddress[],
  settings: NatsSettings,
  budgetMs: number,
  signal: AbortSignal | undefined,
): Promise<NatsConnection> {
  const what = `nats: connecting to ${server.address}`;
  const dialler = new ConnectionDialler(settings);
  dialler.policy.prefer(server);
  const dialling = client.connect({ ...vendorOptions(server, settings, dialler), dialler } as DialOptions);
  useDialTransport();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new MicroError('unavailable', `${what}: no answer within ${Math.round(budgetMs)} ms`, { retrySafe: true }),
      );
    }, budgetMs);
  });
  try {
    const vendor = await abortable(Promise.race([dialling, dialler.refused, late]), signal, what);
    const others = new Set(servers.map((other) => other.address));
    others.delete(server.address);
    addServers(vendor, [...others]);
    return linkOf(vendor, settings, dialler);
  } catch (error) {
    dialler.abandon(error);
    // It may have come through all the same.
    dialling.then(
      (vendor) => vendor.close(),
      () => {},
    );
    if (MicroError.is(error)) throw error;
    const words = isReset(error) && !signal?.aborted ? await dialler.lastWords(server.address) : undefined;
    if (typeof words === 'string') throw serverError(words, what);
    throw failureOf(words ?? error, what);
  } finally {
    clearTimeout(timer);
    dialler.settled();
  }
}

/** Plans the dials of one connection, the first and those of reconnects, and hears how they end. */
class ConnectionDialler implements Dialler {
  readonly #settings: NatsSettings;
  readonly #abandon = new AbortController();
  readonly #logger: Logger;
  readonly policy: ServerPolicy;
  /** Rejects as the first dial is refused. */
  readonly refused: Promise<never>;
  #refuse: (error: unknown) => void = () => {};
  #address = '';
  #sentence: string | undefined;
  readonly #firstIsOver = new AbortController();
  /** What the last dial met; `undefined` once one is connected. */
  failure: MicroError | undefined;
  #isFirst = true;
  #avoided: { readonly ip: string; readonly untilMs: number } | undefined;

  constructor(settings: NatsSettings) {
    this.#settings = settings;
    this.#logger = new RateLimitedLogger(settings.logger);
    this.policy = new ServerPolicy(settings, this.#logger);
    this.refused = new Promise((_, reject) => {
      this.#refuse = reject;
    });
    this.refused.catch(() => {});
  }

  get abandoned(): AbortSignal {
    return this.#abandon.signal;
  }

  /** Calls off what is dialled. */
  abandon(reason?: unknown): void {
    this.#abandon.abort(reason);
  }

  lastWords(address: string): Promise<string | Error | undefined> {
    return lastWords(hostOf(address), Number(address.slice(address.lastIndexOf(':') + 1)), this.policy.tls());
  }

  /** The first dial is over. */
  settled(): void {
    this.#isFirst = false;
    this.#firstIsOver.abort();
  }

  connected(): void {
    this.policy.connected();
    this.failure = undefined;
  }

  avoid(ip: string): void {
    this.#avoided = { ip, untilMs: performance.now() + avoidMs };
  }

  isAvoided(ip: string): boolean {
    return this.#avoided !== undefined && this.#avoided.ip === ip && performance.now() < this.#avoided.untilMs;
  }

  plan(address: string): DialPlan {
    const { policy } = this;
    policy.dialling(address);
    this.#address = address;
    this.#sentence = undefined;
    const upgrade = policy.tls();
    const others = this.#settings.servers.length > 1 ? otherBoundMs : undefined;
    const boundMs = this.#isFirst ? undefined : policy.isConfigured(address) ? others : gossipBoundMs;
    return { tls: policy.wantsTls ? upgrade.tls : undefined, upgrade, boundMs };
  }

  onFailed(address: string, error: unknown): void {
    if (this.#isFirst || this.#abandon.signal.aborted) return;
    this.failure = failureOf(error, `nats: connecting to ${address}`);
    this.#logger.warn('nats server not reached', { server: address, error: this.failure });
  }

  onRefused(sentence: string): void {
    this.#sentence = sentence;
    this.policy.refused();
    this.failure = serverError(sentence, `nats: connecting to ${this.#address}`);
    if (this.#isFirst) this.#refuse(this.failure);
    else this.#logger.warn('nats server refused the connection', { server: this.#address, error: this.failure });
  }

  async onEnd(address: string, error: unknown): Promise<void> {
    if (this.#sentence !== undefined) return;
    const end = endOf(error, this.#settings.tls);
    if (!this.#isFirst) return this.onFailed(address, end);
    await pause(lastWordsMs, { signal: this.#firstIsOver.signal });
    this.#refuse(end);
  }
}

function failureOf(error: unknown, what: string): MicroError {
  const { code, message, cause } = mapNatsError(error, what);
  // Whatever is not a refusal means that no NATS server is to be had there. Nothing can have run before a connect.
  const isRefused = code === 'unauthorized' || code === 'invalid' || code === 'unsupported';
  return new MicroError(isRefused ? code : 'unavailable', message, { cause, retrySafe: true });
}

/** Why a link ended while connecting. */
function endOf(error: unknown, tls: NatsTlsOptions | undefined): unknown {
  if (error === undefined) return new Error('the server ended the connection');
  const { code, message } = error as NodeJS.ErrnoException;
  // The client's own bound.
  if (code === 'TIMEOUT') return new Error('the server did not take the client in time');
  if (tls === undefined || (code !== 'ECONNRESET' && code !== 'EPIPE')) return error;
  const hasCertificate = tls.cert !== undefined || tls.certFile !== undefined;
  // With TLS 1.3 the server refuses after the handshake, and its reset may overtake what it said. That it was this is
  // likely, not certain.
  const wish = hasCertificate ? "does not trust this client's certificate" : 'wants a client certificate';
  const text = `TLS: reset right after the handshake, as by a server that ${wish} (${message})`;
  return Object.assign(new Error(text, { cause: error }), { code });
}

function linkOf(vendor: VendorConnection, settings: NatsSettings, dialler: ConnectionDialler): NatsConnection {
  const beginOrder = orderServers(vendor);
  const connected = () => {
    dialler.connected();
    beginOrder();
  };
  connected();
  checkInfos(vendor);
  readMessages(vendor, () => {
    const server = vendor.getServer();
    // Without the client's error, which quotes what came.
    const error = new MicroError('unavailable', `nats: ${server}: what it sends is not the protocol of NATS`);
    settings.logger.warn('nats server is not understood, connecting anew', { server, error });
    destroySocket(vendor);
  });
  const link = new NatsLink(vendor, {
    servers: [...new Set(settings.servers.map((server) => server.address))],
    ignoreGossip: settings.ignoreGossip,
    inboxPrefix: settings.inboxPrefix,
    connectTimeoutMs: settings.connectTimeoutMs,
    logger: settings.logger,
    own: {
      dropStale: () => destroySocket(vendor),
      afterClose: () => {
        dialler.abandon(new MicroError('closed', 'nats: the connection was closed'));
        abandonDial(vendor);
      },
      leaveAddress: async (server, known) => {
        const ip = remoteIp(vendor);
        const addresses = ip === undefined ? [] : await otherAddresses(server, ip);
        if (ip !== undefined && addresses.length > 0) dialler.avoid(ip);
        const others = known.filter((other) => other !== server);
        return isAnyReachable([...addresses, ...others], dialler.abandoned);
      },
      echo: new ServerEcho(vendor),
      dialFailure: () => dialler.failure,
    },
    write: messageWriter(vendor),
  });
  link.onStateChange(({ status }) => {
    if (status === 'connected') connected();
  });
  return link;
}

/** The addresses that the name of a server has now beside that one, each as `host:port`. */
function otherAddresses(server: string, ip: string): Promise<string[]> {
  const host = hostOf(server);
  const port = server.slice(server.lastIndexOf(':'));
  if (isIP(host) > 0) return Promise.resolve([]);
  return new Promise((resolve) => {
    findHost(host, {}, (error, found) => {
      const others = error ? [] : found.filter(({ address }) => address !== ip);
      resolve(others.map(({ address, family }) => (family === 6 ? `[${address}]${port}` : address + port)));
    });
  });
}

function vendorOptions(server: ServerAddress, settings: NatsSettings, dialler: ConnectionDialler): ConnectionOptions {
  return {
    servers: [server.address],
    // The transport looks names up, as the system does it.
    resolve: false,
    ignoreClusterUpdates: settings.ignoreGossip,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMs,
    reconnectJitter: reconnectJitterMs,
    reconnectJitterTLS: reconnectJitterMs,
    timeout: settings.connectTimeoutMs,
    pingInterval: settings.pingIntervalMs,
    maxPingOut: 2,
    noAsyncTraces: true,
    ...writeMore,
    // A server that refuses now (restarted with other accounts, an auth service away) may welcome later: keep trying,
    // and say so in the log.
    ignoreAuthErrorAbort: true,
    inboxPrefix: settings.inboxPrefix,
    authenticator: dialler.policy.authenticator,
    ...(settings.name !== undefined && { name: settings.name }),
    ...(settings.tls?.handshakeFirst === true && { tls: { handshakeFirst: true } }),
  };
}
