import type { NatsWatcher } from './nats-watcher.ts';

/** The watchers of a registry, by the key of the group of subjects on which they hear. */
export class WatcherSet {
  readonly #byKey = new Map<string, Set<NatsWatcher>>();

  all(): NatsWatcher[] {
    return [...this.#byKey.values()].flatMap((watchers) => [...watchers]);
  }

  /** Those that hear on one group of subjects. */
  of(key: string): Iterable<NatsWatcher> {
    return this.#byKey.get(key) ?? [];
  }

  add(key: string, watcher: NatsWatcher): void {
    const watchers = this.#byKey.get(key) ?? new Set();
    watchers.add(watcher);
    this.#byKey.set(key, watchers);
  }

  /** True where that was the last one with this key. */
  delete(key: string, watcher: NatsWatcher): boolean {
    const watchers = this.#byKey.get(key);
    if (!watchers?.delete(watcher) || watchers.size > 0) return false;
    this.#byKey.delete(key);
    return true;
  }
}
