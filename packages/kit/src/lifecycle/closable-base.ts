import type { AbortOptions, Closable, MicroError } from '@ts-micro/core';
import { Lifetime } from './lifetime.ts';

/** What everything that can be closed has in common: extend it, and write only what a close gives back. */
export abstract class ClosableBase implements Closable {
  /** Its state; a backend checks it, and ends it where it cannot go on. */
  protected readonly lifetime: Lifetime;

  /** `what` begins the message of every error: `nats broker`. */
  constructor(what: string) {
    this.lifetime = new Lifetime(what, (options) => this.release(options));
  }

  /** Gives back what it has. Runs once, whoever ends it first; `close()` waits for what it returns. */
  protected abstract release(options: AbortOptions): unknown;

  get closed(): Promise<MicroError | undefined> {
    return this.lifetime.closed;
  }

  close(options?: AbortOptions): Promise<void> {
    return this.lifetime.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
