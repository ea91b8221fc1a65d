import type { NatsConnection } from '@ts-micro/nats';

const maxUntold = 10_000;

interface Untold {
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly options: { readonly reply: string } | undefined;
}

/**
 * Closes that could not be told in an outage, and are told after it: a peer whose own link held would wait for one of
 * them for ever.
 */
export class UntoldCloses {
  readonly #connection: NatsConnection;
  #waiting: Untold[] = [];

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /** Publishes it now, or keeps it for {@link tell}. Never throws. */
  publish(subject: string, bytes: Uint8Array, options?: { readonly reply: string }): void {
    try {
      this.#connection.publish(subject, bytes, options);
    } catch {
      // Beyond the bound peers find out by their own probes.
      if (this.#waiting.length < maxUntold) this.#waiting.push({ subject, bytes, options });
    }
  }

  /** Publishes what waits; connected again. */
  tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { subject, bytes, options } of waiting) this.publish(subject, bytes, options);
  }
}
