import type { Logger, MicroError } from '@ts-micro/core';
import { mapNatsError } from '../error.ts';
import type { StatusEvent } from './vendor-connection.ts';

const maxReported = 1000;

/** Called with the subject of a publish that the server refused. */
export type DenialListener = (subject: string, error: MicroError) => void;

/** What the server complains of by itself, outside any call: refused publishes and credentials. */
export class ServerErrors {
  readonly #logger: Logger;
  // A refusal that comes with every message is logged once.
  readonly #reported = new Set<string>();

  readonly #denialListeners = new Set<DenialListener>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Logs what nobody else hears of; gives back the error where the server refused the credentials. */
  take(event: StatusEvent, server: string): MicroError | undefined {
    const operation = event.permissionContext?.operation ?? event.error?.operation;
    // A refused subscription is told to its own callback.
    if (operation === 'subscription') return undefined;
    const code = typeof event.data === 'string' ? event.data : '';
    const error = mapNatsError(event.error ?? { code, message: code }, `nats: ${server}`);
    const subject = event.permissionContext?.subject ?? event.error?.subject;
    const report = `${error.code} ${subject}`;
    if (!this.#reported.has(report) && this.#reported.size < maxReported) {
      this.#reported.add(report);
      this.#logger.warn('nats server reported an error', subject === undefined ? { error } : { error, subject });
    }
    if (operation === 'publish' && subject !== undefined) this.#denied(subject, error);
    return operation === undefined && error.code === 'unauthorized' ? error : undefined;
  }

  /** Calls `listener` for every refused publish; returns what ends that. */
  onPublishDenied(listener: DenialListener): () => void {
    // One entry for each call, also where the same function is given twice.
    const entry: DenialListener = (subject, error) => listener(subject, error);
    this.#denialListeners.add(entry);
    return () => this.#denialListeners.delete(entry);
  }

  #denied(subject: string, error: MicroError): void {
    for (const listener of [...this.#denialListeners]) {
      try {
        listener(subject, error);
      } catch (thrown) {
        this.#logger.error('nats denial listener threw', { subject, error: thrown });
      }
    }
  }

  /** A new connect: what is still refused is logged again. */
  clear(): void {
    this.#reported.clear();
  }
}
