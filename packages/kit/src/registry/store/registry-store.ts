import type { AbortOptions } from '@ts-micro/core';

/**
 * The needs of a `StoreRegistry`: texts by name that all instances share, a clock, and a feed. Calls take
 * effect in the order in which they are made. Each rejects with a `MicroError`: `unavailable`, at once, where the
 * backend cannot be reached; and ends with its signal.
 */
export interface RegistryStore {
  /** All texts. */
  read(options: AbortOptions): Promise<Readonly<Record<string, string>>>;
  /** Adds texts or replaces them, by name. */
  put(texts: Readonly<Record<string, string>>, options: AbortOptions): Promise<unknown>;
  /** Removes texts, where they are there. */
  remove(names: readonly string[], options: AbortOptions): Promise<unknown>;
  /** The milliseconds on a clock that is the same for all instances. */
  now(options: AbortOptions): Promise<number>;
  /** Tells every instance, this one too. */
  publish(text: string, options: AbortOptions): Promise<unknown>;
  /**
   * Resolves once `listener`, which never throws, hears all that is published from then on. Called for each watcher
   * with the same listener, which then hears it once.
   */
  subscribe(listener: (text: string) => void, options: AbortOptions): Promise<unknown>;
  /** Lets go of the backend, whatever is under way. */
  close(options: AbortOptions): Promise<unknown>;
}
