import type { ServiceRecord } from '@ts-micro/core';
import type { RecordWatcher } from './record-watcher.ts';

// What a node of a record takes beside the node, which the table holds as well.
const pointerBytes = 8;

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
      watcher.tell(type, service, bytes === undefined ? undefined : bytes + pointerBytes * service.nodes.length);
    }
  }
}
