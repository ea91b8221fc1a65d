/** A set of measurements in five numbers. */
export interface Summary {
  readonly median: number;
  /** The lower and upper quartile. */
  readonly low: number;
  readonly high: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** Throws where there is nothing to summarise. */
export function summarise(values: readonly number[]): Summary {
  const sorted = values.toSorted((one, other) => one - other);
  if (sorted.length === 0) throw new Error('there is nothing to summarise');
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
    min: quantile(sorted, 0),
    max: quantile(sorted, 1),
    count: sorted.length,
  };
}

/** The value below which `part` of the sorted values lie, interpolated. */
export function quantile(sorted: readonly number[], part: number): number {
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}
