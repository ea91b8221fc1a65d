import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { type Logger, MicroError } from '@ts-micro/core';
import type { Authenticator } from 'nats';
import client from '#nats-client';
import type { UserCredentials } from './credentials.ts';
import type { NatsSettings, NatsTlsOptions } from './nats-options.ts';
import type { ServerAddress } from './server-list.ts';
import { readTlsOptions } from './tls-material.ts';

/** TLS for one server: Node's options, and the name to ask the server for. */
export interface ServerTls {
  readonly tls: Record<string, unknown> | undefined;
  readonly tlsName: string;
}

/**
 * Knows what belongs to which server: its credentials, whether it must speak TLS, and the names its certificate may
 * have. Servers that are only known from the cluster are treated like the one that told of them.
 */
export class ServerPolicy {
  readonly #settings: NatsSettings;
  /** By address; one that is there with several credentials has the next ones to try first. */
  readonly #configured = new Map<string, ServerAddress[]>();
  readonly #logger: Logger;
  readonly #nkey: Authenticator | undefined;
  /** As they were read last. */
  #credentials: UserCredentials | undefined;
  /** The configured server connected to last, which tells of others. */
  #teller: ServerAddress | undefined;
  #current: ServerAddress;

  constructor(settings: NatsSettings, logger: Logger) {
    this.#settings = settings;
    this.#logger = logger;
    for (const server of settings.servers) {
      this.#configured.set(server.address, [...(this.#configured.get(server.address) ?? []), server]);
    }
    this.#current = settings.servers[0] as ServerAddress;
    const { nkeySeed, credentials } = settings;
    this.#nkey = nkeySeed && client.nkeyAuthenticator(nkeySeed);
    this.#credentials = credentials?.();
  }

  /** The next dial of that address is with the credentials of this one. */
  prefer(server: ServerAddress): void {
    const same = this.#configured.get(server.address) ?? [];
    this.#configured.set(server.address, [server, ...same.filter((other) => other !== server)]);
  }

  /** A server is dialled. */
  dialling(address: string): void {
    this.#current = this.#configured.get(address)?.[0] ?? {
      address,
      isTls: this.#settings.servers.some(({ isTls }) => isTls),
      user: this.#teller?.user,
      password: this.#teller?.password,
    };
  }

  /** It is connected: what it tells of later is treated like it. */
  connected(): void {
    this.#teller = this.#current;
  }

  /** It refused the client: it gets its other credentials the next time, where it has some. */
  refused(): void {
    const [first, ...others] = this.#configured.get(this.#current.address) ?? [];
    if (first !== undefined) this.#configured.set(first.address, [...others, first]);
  }

  isConfigured(address: string): boolean {
    return this.#configured.has(address);
  }

  /** Gives the client the credentials of the server that is dialled now, and those only. */
  readonly authenticator: Authenticator = (nonce) => {
    const { user, password } = this.#current;
    this.#readCredentials();
    let auth: Record<string, unknown> = { ...this.#nkey?.(nonce) };
    if (this.#credentials !== undefined) {
      const { jwt, seed } = this.#credentials;
      auth = { ...auth, ...client.jwtAuthenticator(jwt, seed)(nonce) };
    }
    const own = this.#settings;
    if (user !== undefined)
      auth = { ...auth, ...(password === undefined ? { auth_token: user } : { user, pass: password }) };
    else {
      if (own.token !== undefined) auth.auth_token = own.token;
      if (own.user !== undefined) auth = { ...auth, user: own.user, pass: own.password };
    }
    return auth as unknown as ReturnType<Authenticator>;
  };

  #readCredentials(): void {
    try {
      this.#credentials = this.#settings.credentials?.();
    } catch (error) {
      // It may be on its way to be replaced.
      this.#logger.warn('nats credentials not read, those that were read last are used', { error });
    }
  }

  /** True where the server that is dialled now must speak TLS. */
  get wantsTls(): boolean {
    return this.#settings.tls !== undefined || this.#current.isTls;
  }

  /** TLS with the server that is dialled now. Throws `invalid` where what is given for it cannot be used. */
  tls(): ServerTls {
    const given: NatsTlsOptions = this.#settings.tls ?? {};
    const names = this.#names(given);
    const own = given.checkServerIdentity as typeof checkServerIdentity | undefined;
    const checkIdentity = (name: string, certificate: PeerCertificate) => {
      // What is thrown here would end the process.
      try {
        if (own !== undefined) return own(name, certificate);
        const faults = names.map((allowed) => checkServerIdentity(allowed, certificate));
        return faults.includes(undefined) ? undefined : faults[0];
      } catch (error) {
        return MicroError.from(error, 'unavailable', 'nats: option tls.checkServerIdentity');
      }
    };
    const material = this.#settings.tls === undefined ? {} : readTlsOptions(given, 'nats');
    const tls = { ...material, checkServerIdentity: checkIdentity };
    // Node refuses an IP address as the name that is asked for.
    return { tls, tlsName: names.find((name) => isIP(name) === 0) ?? '' };
  }

  /** The names one of which the certificate must have. */
  #names({ servername }: NatsTlsOptions): readonly string[] {
    if (typeof servername === 'string' && servername !== '') return [servername];
    const { address } = this.#current;
    const own = hostOf(address);
    if (this.#configured.has(address)) return [own];
    // A cluster tells addresses, and certificates have names: one that was configured is as good as before.
    return [own, ...[...this.#configured.keys()].map(hostOf).filter((host) => isIP(host) === 0)];
  }
}

/** The host of `host:port`, an IPv6 address without its brackets. */
export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}
