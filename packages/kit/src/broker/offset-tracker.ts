interface Partition {
  /** Everything below is done. */
  next: bigint;
  /** The highest that was handed out. */
  seen: bigint;
  readonly done: Set<bigint>;
}

/** Knows of each partition up to where everything is done: what may be committed. */
export class OffsetTracker {
  readonly #partitions = new Map<number, Partition>();
  readonly #changed = new Set<number>();

  /** Whether a message is a new one; it is to be {@link done} then. */
  take(partition: number, offset: bigint): boolean {
    const known = this.#partitions.get(partition) ?? { next: offset, seen: offset - 1n, done: new Set() };
    this.#partitions.set(partition, known);
    if (offset <= known.seen) return false;
    // Offsets have holes, as of records that a compaction removed.
    if (known.next === known.seen + 1n) known.next = offset;
    else for (let hole = known.seen + 1n; hole < offset; hole++) known.done.add(hole);
    known.seen = offset;
    return true;
  }

  done(partition: number, offset: bigint): void {
    const known = this.#partitions.get(partition);
    if (known === undefined || offset < known.next) return;
    known.done.add(offset);
    while (known.done.delete(known.next)) known.next++;
    this.#changed.add(partition);
  }

  /** Where to begin, for a partition that nobody has read. */
  begin(partition: number, offset: bigint): void {
    this.#partitions.set(partition, { next: offset, seen: offset - 1n, done: new Set() });
    this.#changed.add(partition);
  }

  /** Forgets partitions, except these. */
  keep(partitions: readonly number[]): void {
    for (const partition of this.#partitions.keys()) {
      if (partitions.includes(partition)) continue;
      this.#partitions.delete(partition);
      this.#changed.delete(partition);
    }
  }

  /** Has a partition count as changed again, whose change could not be written down. */
  again(partition: number): void {
    if (this.#partitions.has(partition)) this.#changed.add(partition);
  }

  /** What has changed since it was asked last. */
  takeChanges(): readonly { readonly partition: number; readonly offset: bigint }[] {
    const changes = Array.from(this.#changed, (partition) => ({
      partition,
      offset: this.#partitions.get(partition)?.next ?? 0n,
    }));
    this.#changed.clear();
    return changes;
  }
}
