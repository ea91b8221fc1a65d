import type { IncomingMessage } from 'node:http';
import { type AbortOptions, MicroError } from '@ts-micro/core';
import { HttpServers } from '@ts-micro/kit/http';
import { errorOfAnswer } from './etcd-error.ts';
import { type EtcdSettings, who } from './etcd-registry-options.ts';

/** Asks etcd through its JSON gateway, as the user that it was given. Every question here may be asked twice. */
export class EtcdClient {
  readonly #settings: EtcdSettings;
  readonly #servers: HttpServers;
  #token: Promise<string> | undefined;

  constructor(settings: EtcdSettings) {
    const { urls, tls, requestTimeoutMs: timeoutMs } = settings;
    this.#settings = settings;
    this.#servers = new HttpServers({ who, urls, tls, timeoutMs, errorOf: errorOfAnswer });
  }

  /** Which member is asked; another number where it was followed by the next. */
  get member(): number {
    return this.#servers.current;
  }

  /** Asks one question. Errors: `unavailable`, `unauthorized`, what etcd says, or as the signal aborts. */
  call<T>(path: string, question: object, { signal }: AbortOptions = {}): Promise<T> {
    return this.#asUser((headers) => this.#servers.post<T>(`/v3/${path}`, question, { headers, signal }));
  }

  /** Begins a stream of answers. */
  stream(path: string, question: object): Promise<IncomingMessage> {
    return this.#asUser((headers) => this.#servers.stream(`/v3/${path}`, question, { headers }));
  }

  /** Drops what is under way. */
  close(): void {
    this.#servers.close();
  }

  async #asUser<T>(ask: (headers: Record<string, string>) => Promise<T>): Promise<T> {
    if (this.#settings.user === undefined) return ask({});
    const token = this.#authenticate();
    try {
      return await ask({ authorization: await token });
    } catch (error) {
      // Tokens end after minutes, and with the server that gave them.
      if (!MicroError.is(error, 'unauthorized') || !/auth token|user name|revision/.test(error.message)) throw error;
      if (this.#token === token) this.#token = undefined;
      return ask({ authorization: await this.#authenticate() });
    }
  }

  #authenticate(): Promise<string> {
    const { user: name, password = '' } = this.#settings;
    this.#token ??= this.#servers.post<{ token: string }>('/v3/auth/authenticate', { name, password }).then(
      ({ token }) => token,
      (error) => {
        this.#token = undefined;
        throw error;
      },
    );
    return this.#token;
  }
}
