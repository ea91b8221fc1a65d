import { type AbortOptions, abortError, type ErrorCode, MicroError } from '@ts-micro/core';
import { abortable, abortFanOut, pause, type ReplyInbox, throwIfAborted } from '@ts-micro/kit';
import type { NatsConnection, NatsMessage, NatsPublishOptions } from '../connection/connection.ts';
import { natsReplyInbox } from '../connection/reply-inbox.ts';
import { isNoResponders, noRespondersError } from '../no-responders.ts';
import { PublishWindow } from './publish-window.ts';

export interface JetStreamApiOptions {
  readonly connection: NatsConnection;
  /** Begins the messages of its errors: `jetstream broker`. */
  readonly what: string;
  /** The JetStream domain, where the server's is not the default. */
  readonly domain?: string | undefined;
  /** How long the server has for an answer. */
  readonly timeoutMs: number;
}

/** The server's acknowledgement of a message that it has stored. */
export interface StoredAck {
  readonly stream: string;
  readonly seq: number;
  /** A message of this id was stored before, and this one was not. */
  readonly duplicate?: boolean | undefined;
}

interface Refusal {
  readonly code: number;
  readonly err_code?: number;
  readonly description?: string;
}

type Answer<T> = T & { readonly error?: Refusal };

interface Waiting {
  readonly subject: string;
  reject(error: MicroError): void;
}

// Servers that choose a leader drop what they are asked. A question may be put again, and so may a command that makes
// what it names: done twice, it finds what it would make. Any other command may not.
const askAgainMs = 1000;
const repeatable =
  /^(STREAM\.(INFO|NAMES|MSG\.GET|CREATE)\b|CONSUMER\.(INFO|NAMES|DURABLE\.CREATE)\b|CONSUMER\.CREATE\.[^.]+\.)/;

const noBytes = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Errors of the server that say: there is one already, and it is another, or a newer. By their `err_code`. */
const conflicts = new Set([10013, 10058, 10065, 10071, 10148, 10164]);
/**
 * "no suitable peers for placement": the cluster has too few servers, or its leader has not heard of them for a while.
 * Nothing was done.
 */
const noPeers = 10005;
/** Of the server or the account, or a stream that takes nothing more: whoever asks has done nothing wrong. */
const isAtLimit =
  /limits? (reached|exceeded)|maximum number of|resources exceeded|insufficient resources|sealed stream/;

/**
 * Asks JetStream over a {@link NatsConnection}, of whichever generation the client is: requests to its API, and
 * publishes that it confirms. Ends with the connection, or by `close`.
 */
export class JetStreamApi {
  /** Begins the subjects of the API: `$JS.API.`. */
  readonly prefix: string;
  readonly connection: NatsConnection;
  readonly #options: JetStreamApiOptions;
  readonly #inbox: ReplyInbox<NatsMessage>;
  readonly #waiting = new Set<Waiting>();
  readonly #window = new PublishWindow();
  readonly #unfollow: readonly (() => void)[];

  constructor(options: JetStreamApiOptions) {
    const { connection, what, domain } = options;
    this.#options = options;
    this.connection = connection;
    this.prefix = domain === undefined ? '$JS.API.' : `$JS.${domain}.API.`;
    this.#inbox = natsReplyInbox({ connection, what });
    this.#unfollow = [
      connection.onStateChange(({ status }) => {
        if (status === 'reconnecting') this.#failAll('the connection was lost before the server answered');
      }),
      connection.onPublishDenied((subject, error) => {
        for (const waiting of this.#waiting) if (waiting.subject === subject) waiting.reject(error);
      }),
    ];
  }

  /**
   * Asks the API: `request('STREAM.INFO.EVENTS')`. Rejects with `not_found`, `conflict`, `invalid`, `unavailable`, and
   * with `unauthorized` where the account may not ask; with `timeout` where no answer comes. Asks again within
   * `timeoutMs` while the cluster knows no server that could do it.
   */
  async request<T>(name: string, body?: unknown, options?: AbortOptions): Promise<T> {
    const data = body === undefined ? noBytes : encoder.encode(JSON.stringify(body));
    const untilMs = performance.now() + this.#options.timeoutMs;
    for (;;) {
      const answer = this.#read<T>(await this.#ask(this.prefix + name, data, {}, options), name);
      const isLater = answer.error?.err_code === noPeers && performance.now() + askAgainMs < untilMs;
      if (!isLater) return this.#accept(answer, name);
      await pause(askAgainMs, options);
    }
  }

  /**
   * Publishes; resolves once it is stored. Writes it before it returns, or behind those that wait for the server to
   * answer earlier ones, so that calls keep their order. Rejects with
   * `unavailable` (safe to retry where it was not written, or no stream takes the subject), `too_large`, `timeout`.
   */
  async publish(
    subject: string,
    data: Uint8Array,
    { headers }: Pick<NatsPublishOptions, 'headers'>,
    options?: AbortOptions,
  ): Promise<StoredAck> {
    const what = `publishing on "${subject}"`;
    const window = this.#window;
    if (!window.isFull) {
      return this.#parse(await window.run(() => this.#ask(subject, data, { headers }, options)), what);
    }
    // What the caller changes while it waits must not change what is stored.
    const copy = new Uint8Array(data);
    const writing = window.run(() => this.#ask(subject, copy, { headers }, options));
    return this.#parse(await abortable(writing, options?.signal, `${this.#options.what}: ${what}`), what);
  }

  /** Unsubscribes; whoever waits still is rejected. */
  close(): void {
    for (const unfollow of this.#unfollow) unfollow();
    this.#failAll('it was closed');
    this.#inbox.stop();
  }

  #ask(
    subject: string,
    data: Uint8Array,
    publishOptions: NatsPublishOptions,
    { signal }: AbortOptions = {},
  ): Promise<NatsMessage> {
    const { what, timeoutMs, connection } = this.#options;
    const about = `${what}: ${subject}`;
    throwIfAborted(signal, about);
    return new Promise((resolve, reject) => {
      // Throws where the connection is closed, and leaves nothing behind.
      const reply = this.#inbox.open({
        onReply: (message) => {
          settle();
          if (isNoResponders(message))
            reject(noRespondersError(isApi ? `${about}: JetStream is not enabled here` : about));
          else resolve(message);
        },
        onInboxEnd: (cause) => waiting.reject(cause),
      });
      const settle = () => {
        clearTimeout(timer);
        clearInterval(asking);
        this.#waiting.delete(waiting);
        this.#inbox.close(reply);
        if (signal) abortFanOut.delete(signal, aborting);
      };
      const waiting: Waiting = {
        subject,
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      const aborting = { onAbort: () => waiting.reject(abortError(signal as AbortSignal, about)) };
      const timer = setTimeout(
        () => waiting.reject(new MicroError('timeout', `${about}: no answer within ${timeoutMs} ms`)),
        timeoutMs,
      );
      const isApi = subject.startsWith(this.prefix);
      const isRepeatable = isApi && repeatable.test(subject.slice(this.prefix.length));
      const asking = isRepeatable ? setInterval(() => ask(), askAgainMs) : undefined;
      const ask = () => {
        try {
          connection.publish(subject, data, { ...publishOptions, reply });
        } catch (error) {
          settle();
          reject(error);
        }
      };
      this.#waiting.add(waiting);
      if (signal) abortFanOut.add(signal, aborting);
      ask();
    });
  }

  #parse<T>(message: NatsMessage, about: string): T {
    return this.#accept(this.#read<T>(message, about), about);
  }

  #read<T>({ data }: NatsMessage, about: string): Answer<T> {
    try {
      return JSON.parse(decoder.decode(data));
    } catch (cause) {
      throw new MicroError('malformed', `${this.#options.what}: ${about}: the answer is no JSON`, { cause });
    }
  }

  #accept<T>(answer: Answer<T>, about: string): T {
    const refusal = answer.error;
    if (refusal === undefined) return answer;
    const words = refusal.description ?? `error ${refusal.code}`;
    throw new MicroError(codeOf(refusal), `${this.#options.what}: ${about}: ${words}`);
  }

  #failAll(why: string): void {
    for (const waiting of this.#waiting) {
      waiting.reject(new MicroError('unavailable', `${this.#options.what}: ${waiting.subject}: ${why}`));
    }
  }
}

function codeOf({ code, err_code = 0, description = '' }: Refusal): ErrorCode {
  if (/size exceeds maximum/.test(description)) return 'too_large';
  if (conflicts.has(err_code)) return 'conflict';
  if (code === 404) return 'not_found';
  return code === 400 && err_code !== noPeers && !isAtLimit.test(description) ? 'invalid' : 'unavailable';
}
