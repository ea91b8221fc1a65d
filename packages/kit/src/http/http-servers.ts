import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { type AbortOptions, MicroError } from '@ts-micro/core';
import { abortable, throwIfAborted } from '@ts-micro/kit';
import type { CheckedAccess } from '../settings/server-access.ts';

export interface HttpServersOptions extends Pick<CheckedAccess, 'urls' | 'tls'> {
  /** Begins every message: `etcd registry`. */
  readonly who: string;
  /** How long a server may take to answer before the next one is asked, in milliseconds. */
  readonly timeoutMs: number;
  /** The error of an answer whose status is not 200; `unavailable` has the next server asked. */
  readonly errorOf: (path: string, status: number, text: string) => MicroError;
}

export interface PostOptions extends AbortOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

type Answer = http.IncomingMessage;

const mostAnswerBytes = 64 * 1024 * 1024;

/**
 * Servers that are asked in JSON over HTTP. One that does not answer is followed by the next, which is asked from then
 * on; so a question must be one that may be asked twice.
 */
export class HttpServers {
  readonly #options: HttpServersOptions;
  readonly #agent: http.Agent;
  #current = 0;
  #isClosed = false;

  constructor(options: HttpServersOptions) {
    this.#options = options;
    this.#agent = options.tls
      ? new https.Agent({ keepAlive: true, ...options.tls })
      : new http.Agent({ keepAlive: true });
  }

  /** Which server is asked; another number once it was followed by the next. */
  get current(): number {
    return this.#current;
  }

  /** Asks, and returns the whole answer. Errors: `unavailable`, those of `errorOf`, or as the signal aborts. */
  async post<T>(path: string, question: object, options: PostOptions = {}): Promise<T> {
    throwIfAborted(options.signal, `${this.#options.who}: ${path}`);
    const asking = this.#askAny(path, question, async (answer) => JSON.parse(await textOf(answer)) as T, options);
    return await abortable(asking, options.signal, `${this.#options.who}: ${path}`);
  }

  /** Asks, and returns an answer that comes bit by bit. Errors: those of {@link post}. */
  stream(path: string, question: object, options: PostOptions = {}): Promise<Answer> {
    return this.#askAny(path, question, async (answer) => answer, options);
  }

  /** Drops what is under way. */
  close(): void {
    this.#isClosed = true;
    this.#agent.destroy();
  }

  async #askAny<T>(
    path: string,
    question: object,
    read: (answer: Answer) => Promise<T>,
    { headers, signal }: PostOptions,
  ): Promise<T> {
    const { urls } = this.#options;
    for (let left = urls.length; ; left--) {
      const at = this.#current;
      try {
        return await this.#ask(urls[at % urls.length] as URL, path, JSON.stringify(question), read, headers);
      } catch (error) {
        if (!MicroError.is(error, 'unavailable')) throw error;
        // Unless another call has moved on meanwhile.
        if (this.#current === at) this.#current++;
        if (left <= 1 || signal?.aborted || this.#isClosed) throw error;
      }
    }
  }

  async #ask<T>(
    url: URL,
    path: string,
    question: string,
    read: (answer: Answer) => Promise<T>,
    headers: PostOptions['headers'],
  ): Promise<T> {
    const { who, timeoutMs, errorOf } = this.#options;
    if (this.#isClosed) throw new MicroError('unavailable', `${who}: it is closed`, { retrySafe: true });
    const request = (url.protocol === 'https:' ? https : http).request(new URL(path, url), {
      method: 'POST',
      agent: this.#agent,
      headers: { 'content-type': 'application/json', ...headers },
    });
    request.on('error', () => {});
    const timer = setTimeout(() => request.destroy(new Error(`no answer for ${timeoutMs} ms`)), timeoutMs);
    try {
      request.end(question);
      const [answer] = (await once(request, 'response')) as [Answer];
      if (answer.statusCode === 200) return await read(answer);
      throw errorOf(path, answer.statusCode ?? 0, await textOf(answer));
    } catch (error) {
      request.destroy();
      if (error instanceof MicroError) throw error;
      // A kept connection that had ended already says nothing about its server.
      if (request.reusedSocket && !this.#isClosed && MicroError.textOf(error).includes('hang up'))
        return await this.#ask(url, path, question, read, headers);
      const retrySafe = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
      const reason = `${who}: ${url.host}: ${MicroError.textOf(error)}`;
      throw new MicroError('unavailable', reason, { cause: error, retrySafe });
    } finally {
      clearTimeout(timer);
    }
  }
}

async function textOf(answer: Answer): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer) {
    bytes += piece.length;
    if (bytes > mostAnswerBytes) throw new Error(`an answer of more than ${mostAnswerBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
