import type { Logger, MicroError } from '@ts-micro/core';
import { mapNatsError } from './error.ts';
import type { StatusEvent } from './vendor-connection.ts';

const maxReported = 1000;

/** What the server complains of by itself, outside any call: refused publishes and credentials. */
export class ServerErrors {
  readonly #logger: Logger;
  // A refusal that comes with every message is logged once.
  readonly #reported = new Set<string>();

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
    return operation === undefined && error.code === 'unauthorized' ? error : undefined;
  }

  /** A new connect: what is still refused is logged again. */
  clear(): void {
    this.#reported.clear();
  }
}
