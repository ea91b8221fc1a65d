import type { PeerWatcher } from '@ts-micro/kit';

/** The watchers of a registry, by the key of the group of subjects on which they hear. */
export class WatchersByKey {
  readonly #byKey = new Map<string, Set<PeerWatcher>>();

  all(): PeerWatcher[] {
    return [...this.#byKey.values()].flatMap((watchers) => [...watchers]);
  }

  /** Those that hear on one group of subjects. */
  of(key: string): Iterable<PeerWatcher> {
    return this.#byKey.get(key) ?? [];
  }

  add(key: string, watcher: PeerWatcher): void {
    const watchers = this.#byKey.get(key) ?? new Set();
    watchers.add(watcher);
    this.#byKey.set(key, watchers);
  }

  /** True where that was the last one with this key. */
  delete(key: string, watcher: PeerWatcher): boolean {
    const watchers = this.#byKey.get(key);
    if (!watchers?.delete(watcher) || watchers.size > 0) return false;
    this.#byKey.delete(key);
    return true;
  }
}

/** So many names are looked for before it is cheaper to read the message. */
const mostNames = 8;
/** Nobody writes such a name with escapes. */
const plainName = /^[\w.:-]+$/;

/** False where a message cannot be about a service that any of these watchers follows, seen without reading it. */
export function mayConcern(data: Uint8Array, watchers: Iterable<PeerWatcher>): boolean {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  let names = 0;
  for (const { service } of watchers) {
    if (service === undefined || ++names > mostNames || !plainName.test(service)) return true;
    if (bytes.includes(`"${service}"`)) return true;
  }
  return false;
}
