import type { ServiceRecord } from '@ts-micro/core';
import type { RecordWatcher } from './record-watcher.ts';

// What a node takes in the copy that is made where the event is received. A change of a version with many nodes costs
// its readers as much as all of them, so few such events wait before one `resync` stands for them.
const copiedNodeBytes = 256;

/** The watchers of a table. */
export class WatcherSet {
  readonly #watchers = new Set<RecordWatcher>();
  #isMuted = false;

  get isEmpty(): boolean {
    return this.#watchers.size === 0;
  }

  add(watcher: RecordWatcher): void {
    this.#watchers.add(watcher);
    watcher.resync();
  }

  delete(watcher: RecordWatcher): void {
    this.#watchers.delete(watcher);
  }

  mute(): void {
    this.#isMuted = true;
  }

  unmute(): void {
    if (!this.#isMuted) return;
    this.#isMuted = false;
    for (const watcher of this.#watchers) watcher.resync();
  }

  /**
   * Announces a change. `record` is called only where somebody listens, as making one costs O(nodes); `bytes` is the
   * memory that the change brought. @default that of the whole record
   */
  tell(type: 'create' | 'update' | 'delete', name: string, record: () => ServiceRecord, bytes?: number): void {
    if (this.#isMuted) return;
    for (const watcher of this.#watchers) {
      if (!watcher.wants(name)) continue;
      const service = record();
      watcher.tell(type, service, bytes === undefined ? undefined : bytes + copiedNodeBytes * service.nodes.length);
    }
  }
}
