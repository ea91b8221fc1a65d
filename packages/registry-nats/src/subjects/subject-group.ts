import { type AbortOptions, type Logger, MicroError } from '@ts-micro/core';
import type { NatsConnection, NatsMessage, NatsSubscription } from '@ts-micro/nats';
import { comesTwice } from '../wire/peer-headers.ts';

export interface SubjectGroupOptions {
  readonly connection: NatsConnection;
  readonly subjects: readonly string[];
  readonly logger: Logger;
  /** Called once for a message, on whichever of the subjects it came. */
  readonly onMessage: (message: NatsMessage) => void;
  /** Called when the server refuses one of the subjects, be it after a reconnect. */
  readonly onRefused: (error: MicroError) => void;
}

/**
 * Several subjects on which the same is told, because Go Micro renamed them: one subscription each, one message from
 * all.
 */
export class SubjectGroup {
  readonly #options: SubjectGroupOptions;
  #subscriptions: readonly NatsSubscription[] | undefined;
  #isConfirmed = false;

  constructor(options: SubjectGroupOptions) {
    this.#options = options;
  }

  /**
   * Subscribes where that is not done yet; resolves once the server has it. Errors: `unauthorized`, `unavailable`,
   * `closed`.
   */
  async start(options?: AbortOptions): Promise<void> {
    if (this.#isConfirmed) return;
    this.#subscriptions ??= this.#options.subjects.map((subject) => this.#subscribe(subject));
    const subscriptions = this.#subscriptions;
    await Promise.all(subscriptions.map((subscription) => subscription.confirm(options)));
    // Not where they were stopped, and perhaps made anew, meanwhile.
    if (this.#subscriptions === subscriptions) this.#isConfirmed = true;
  }

  stop(): void {
    for (const subscription of this.#subscriptions ?? []) subscription.unsubscribe();
    this.#subscriptions = undefined;
    this.#isConfirmed = false;
  }

  #subscribe(subject: string): NatsSubscription {
    const { connection, subjects, logger, onMessage, onRefused } = this.#options;
    return connection.subscribe(subject, {
      onMessage: (message) => {
        try {
          if (!comesTwice(message, subjects)) onMessage(message);
        } catch (error) {
          if (!MicroError.is(error, 'malformed')) throw error;
          logger.debug('malformed message ignored', { subject, error });
        }
      },
      onError: (error) => {
        this.stop();
        onRefused(error as MicroError);
      },
    });
  }
}
