import type { Logger } from '@ts-micro/core';
import { callSafely } from '@ts-micro/kit';
import type { NatsState } from '../connection/connection.ts';
import type { VendorConnection } from './vendor-connection.ts';

/** The state of one connection, and those who follow it. */
export class LinkState {
  readonly #logger: Logger;
  readonly #listeners = new Set<(state: NatsState) => void>();
  #current: NatsState;

  constructor(first: NatsState, logger: Logger) {
    this.#current = first;
    this.#logger = logger;
  }

  get current(): NatsState {
    return this.#current;
  }

  /** Tells the listeners, unless nothing has changed. */
  change(next: NatsState): void {
    if (isSame(this.#current, next)) return;
    this.#current = next;
    const onThrown = (error: unknown) => this.#logger.error('nats state listener threw', { error });
    for (const listener of [...this.#listeners]) callSafely(() => listener(next), onThrown);
  }

  follow(listener: (state: NatsState) => void): () => void {
    // One entry for each call, even where two of them give the same function.
    const entry = (state: NatsState) => listener(state);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  clear(): void {
    this.#listeners.clear();
  }
}

function isSame(one: NatsState, other: NatsState): boolean {
  return (
    one.status === other.status &&
    one.server === other.server &&
    one.reconnects === other.reconnects &&
    one.servers.join() === other.servers.join() &&
    one.lost.join() === other.lost.join()
  );
}

/** The servers that a server tells of: a lent client takes whatever it tells. */
export function toldServers({ connect_urls: urls }: NonNullable<VendorConnection['info']>): string[] {
  return Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : [];
}
