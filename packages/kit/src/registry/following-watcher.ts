import { LeaseTable } from './lease-table.ts';
import { RecordWatcher, type RecordWatcherOptions } from './record-watcher.ts';

/** A change at the backend, as a change of a table. */
export type TableChange = (table: LeaseTable) => void;

/**
 * A whole {@link RecordWatcher} for a backend that can be asked for everything and tells its changes: it keeps a
 * table, and announces how that differs.
 *
 * - Changes that come in while {@link load} asks are announced at once, where a first load is over, and are made
 *   again to what it brings, because the answer may be older. The `resync` that follows has them.
 * - Of loads under way at once each announces a `resync` as it ends, and the table of the one that ends last counts.
 * - Several registrations in one change, or of one node several times, are merged as {@link LeaseTable} says: what is
 *   equal to what is known tells nobody. So a change may be reported twice.
 * - A record without nodes is a version of its own until it gets nodes.
 */
export class FollowingWatcher extends RecordWatcher {
  /** For each load under way, what came in since it began. */
  readonly #late = new Set<TableChange[]>();
  #table: LeaseTable = new LeaseTable();
  #isLoaded = false;
  #isOver = false;

  constructor(options: Omit<RecordWatcherOptions, 'known'>) {
    const { service, stop } = options;
    super({
      ...options,
      known: () => this.#table.records(service),
      stop: () => {
        this.#isOver = true;
        this.#forget();
        return stop();
      },
    });
  }

  /** Takes a change as it comes in. */
  follow(change: TableChange): void {
    for (const late of this.#late) late.push(change);
    change(this.#table);
  }

  /**
   * Takes everything, at first and after every gap, and announces it as a `resync`. By the time `ask` asks, changes
   * must come in. Rejects as `ask` does: a first load that fails closes the watcher, a later one leaves what it knew.
   */
  async load(ask: () => Promise<LeaseTable>): Promise<void> {
    const late: TableChange[] = [];
    this.#late.add(late);
    try {
      const fresh = await ask();
      // The answer may be older than they are, and a change made twice is made once.
      for (const change of late) change(fresh);
      this.#forget();
      this.#table = fresh;
      this.#isLoaded = true;
    } catch (error) {
      if (!this.#isLoaded) void this.close();
      throw error;
    } finally {
      this.#late.delete(late);
    }
    if (this.#isOver) this.#forget();
    else this.#table.watch(this);
  }

  #forget(): void {
    this.#table.unwatch(this);
    this.#table.clear();
  }
}
