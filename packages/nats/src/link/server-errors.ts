import { type Logger, MicroError } from '@ts-micro/core';
import { RateLimitedLogger, shown } from '@ts-micro/kit';
import { mapNatsError, serverError } from '../error.ts';
import type { StatusEvent } from './vendor-connection.ts';

const maxReported = 1000;
/** Of so many every one is told; a peer that chooses where its answers go can cause others without end. */
const toldAtOnce = 20;

/** Called with the subject of a publish that the server refused; `true` keeps it out of the log. */
export type DenialListener = (subject: string, error: MicroError) => unknown;

/** A complaint of the server, sent outside any call. */
export interface Complaint {
  readonly error: MicroError;
  /** The server's own words. */
  readonly sentence: string;
  /** The operation that was refused; `undefined` where it is not about a subject. */
  readonly operation: 'publish' | 'subscription' | undefined;
  readonly subject: string | undefined;
  readonly queue: string | undefined;
  /** The server's number of the subscription, where it tells. */
  readonly sid: number | undefined;
}

/**
 * Reads a sentence of the server: `Permissions Violation for Publish to "a.b"`. `server` begins the error's message.
 */
export function complaintOf(sentence: string, server: string): Complaint {
  const [, kind, subject] = /(Publish|Subscription) to "([^"]*)"/i.exec(sentence) ?? [];
  const sid = /\(sid "(\d+)"\)/.exec(sentence)?.[1];
  return {
    error: serverError(sentence, `nats: ${server}`),
    sentence,
    operation: kind?.toLowerCase() as Complaint['operation'],
    subject,
    queue: /using queue "([^"]*)"/i.exec(sentence)?.[1],
    sid: sid === undefined ? undefined : Number(sid),
  };
}

/** Reads what the client makes of such a sentence, of a connection whose sentences are not at hand. */
export function complaintOfEvent({ data, error, permissionContext }: StatusEvent, server: string): Complaint {
  const code = typeof data === 'string' ? data : '';
  const operation = permissionContext?.operation ?? error?.operation;
  const subject = permissionContext?.subject ?? error?.subject;
  const text = subject === undefined ? code : `Permissions Violation for ${operation} to "${subject}"`;
  return {
    error: mapNatsError(error ?? { code, message: text }, `nats: ${server}`),
    sentence: error?.message ?? text,
    operation: operation as Complaint['operation'],
    subject,
    queue: permissionContext?.queue ?? error?.queue,
    sid: undefined,
  };
}

/** Tells the log and those who follow refused publishes of what the server complains of. */
export class ServerErrors {
  readonly #logger: Logger;
  readonly #limited: RateLimitedLogger;
  // A refusal that comes with every message is logged once.
  readonly #reported = new Set<string>();
  readonly #denialListeners = new Set<DenialListener>();

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#limited = new RateLimitedLogger(logger);
  }

  /** Calls `listener` for every refused publish; returns what ends that. */
  onPublishDenied(listener: DenialListener): () => void {
    // One entry for each call, also where the same function is given twice.
    const entry: DenialListener = (subject, error) => listener(subject, error);
    this.#denialListeners.add(entry);
    return () => this.#denialListeners.delete(entry);
  }

  take({ error, operation, subject }: Complaint): void {
    const isExpected = operation === 'publish' && subject !== undefined && this.#tell(subject, error);
    const report = `${error.message} ${subject}`;
    if (isExpected || this.#reported.has(report)) return;
    const logger = this.#reported.size < toldAtOnce ? this.#logger : this.#limited;
    if (this.#reported.size < maxReported) this.#reported.add(report);
    const fields = subject === undefined ? { error } : { error, subject: shown(subject) };
    logger.warn('nats server reported an error', fields);
  }

  /** Tells the listeners; true where one of them expected it. */
  #tell(subject: string, error: MicroError): boolean {
    let isExpected = false;
    for (const listener of [...this.#denialListeners]) {
      try {
        if (listener(subject, error) === true) isExpected = true;
      } catch (thrown) {
        this.#logger.error('nats denial listener threw', { subject, error: MicroError.textOf(thrown) });
      }
    }
    return isExpected;
  }

  /** A new connect: what is still refused is logged again. */
  clear(): void {
    this.#reported.clear();
  }

  /** Tells what is held back. */
  end(): void {
    this.#limited.end();
  }
}
