import type { Watcher } from '@ts-micro/core';
import { clockMs } from '../harness/clock.ts';

const withinMs = 30_000;

/** One followed service whose nodes say in their metadata how often they were changed, and when. */
export class WatchedService {
  readonly #watcher: Watcher;
  readonly #revisions = new Map<string, number>();
  /** How late each change was seen, in milliseconds. */
  readonly lags: number[] = [];

  constructor(watcher: Watcher) {
    this.#watcher = watcher;
  }

  /** Takes the next event. */
  async next(): Promise<void> {
    const event = await this.#watcher.receive({ signal: AbortSignal.timeout(withinMs) });
    if (event === undefined) throw new Error('the watcher ended');
    const records = event.type === 'resync' ? event.services : [event.service];
    for (const { id, metadata } of records.flatMap((record) => record.nodes)) {
      const revision = Number(metadata.revision);
      if (revision <= (this.#revisions.get(id) ?? 0)) continue;
      this.#revisions.set(id, revision);
      this.lags.push(clockMs() - Number(metadata.changedAtMs));
    }
  }

  /** Takes events until so many nodes are at `revision` or beyond. */
  async reach(nodes: number, revision: number): Promise<void> {
    while ([...this.#revisions.values()].filter((known) => known >= revision).length < nodes) await this.next();
  }
}
