import type { Summary } from './report/statistics.ts';
import { numberText, summaryText } from './report/table.ts';

/** One promise about speed, and whether it holds. */
export interface Outcome {
  /** What is promised, in words. */
  readonly row: string;
  readonly target: string;
  readonly measured: string;
  readonly verdict: 'met' | 'missed' | 'not measured' | 'reported';
}

export interface Limit {
  /** What `target` says after the number: `x raw`, `ms`. */
  readonly unit?: string | undefined;
  readonly atLeast?: number | undefined;
  readonly atMost?: number | undefined;
}

/** Judges the median. Without a summary it was not measured, for which `why` may give the reason. */
export function judge(row: string, summary: Summary | undefined, limit: Limit, why = ''): Outcome {
  const { unit = '', atLeast, atMost } = limit;
  const target = `${atLeast === undefined ? '<=' : '>='} ${atLeast ?? atMost} ${unit}`.trim();
  if (summary === undefined) return { row, target, measured: why, verdict: 'not measured' };
  const isMet =
    (atLeast === undefined || summary.median >= atLeast) && (atMost === undefined || summary.median <= atMost);
  return { row, target, measured: summaryText(summary), verdict: isMet ? 'met' : 'missed' };
}

/** Judges one number. */
export function judgeNumber(row: string, value: number, limit: Limit): Outcome {
  const exact = { median: value, low: value, high: value, min: value, max: value, count: 1 };
  return { ...judge(row, exact, limit), measured: numberText(value) };
}
