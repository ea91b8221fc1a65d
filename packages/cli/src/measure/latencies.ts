/** Latencies of calls, and what they come to. */
export class Latencies {
  readonly #ms: number[] = [];

  add(ms: number): void {
    this.#ms.push(ms);
  }

  get count(): number {
    return this.#ms.length;
  }

  /** Returns the summary, times in milliseconds; `undefined` where nothing was measured. */
  summary(): LatencySummary | undefined {
    const sorted = Float64Array.from(this.#ms).sort();
    const count = sorted.length;
    if (count === 0) return undefined;
    const at = (share: number) => sorted[Math.min(count - 1, Math.ceil(share * count) - 1)] as number;
    return {
      min: sorted[0] as number,
      mean: sorted.reduce((sum, ms) => sum + ms, 0) / count,
      p50: at(0.5),
      p90: at(0.9),
      p99: at(0.99),
      max: sorted[count - 1] as number,
      histogram: buckets(sorted),
    };
  }
}

export interface LatencySummary {
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  /** How many took longer than the bucket before and at most `upToMs`. */
  readonly histogram: readonly { readonly upToMs: number; readonly count: number }[];
}

/** One, two and five of every power of ten: all between the first and the last that hold something. */
function buckets(sorted: Float64Array): readonly { readonly upToMs: number; readonly count: number }[] {
  const bounds = Array.from({ length: 27 }, (_, step) => Number(`${[1, 2, 5][step % 3]}e${Math.floor(step / 3) - 2}`));
  const counts = bounds.map(() => 0);
  for (const ms of sorted) {
    const at = bounds.findIndex((bound) => ms <= bound);
    const bucket = at === -1 ? bounds.length - 1 : at;
    counts[bucket] = (counts[bucket] as number) + 1;
  }
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  return bounds.slice(first, last + 1).map((upToMs, at) => ({ upToMs, count: counts[first + at] as number }));
}
