import { RecordWatcher, type RecordWatcherOptions } from './record-watcher.ts';
import { ServiceTable } from './service-table.ts';

/** What happened at the backend, as done to a table. */
export type TableChange = (table: ServiceTable) => void;

/** A whole {@link RecordWatcher} for a backend that can be asked for everything and tells its changes: it keeps a table, and announces how that differs. */
export class FollowingWatcher extends RecordWatcher {
  /** For each load under way, what came in since it began. */
  readonly #late = new Set<TableChange[]>();
  #table = new ServiceTable();
  #isLoaded = false;
  #isOver = false;

  constructor(options: Omit<RecordWatcherOptions, 'known'>) {
    const { service, stop } = options;
    super({
      ...options,
      known: () => this.#table.list(service),
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

  /** Takes everything, at first and after every gap, and announces it as a `resync`. By the time `ask` asks, changes must come in. A first one that fails closes it. */
  async load(ask: () => Promise<ServiceTable>): Promise<void> {
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
