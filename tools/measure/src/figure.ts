/** One number of one run. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: '/s' | 'ms';
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
