import { durationText } from '../terminal/amounts.ts';
import type { Paint } from '../terminal/paint.ts';
import type { LatencySummary } from './latencies.ts';

const longestBar = 40;

/** Returns the lines that show a histogram, no wider than `columns`. */
export function histogramLines({ histogram }: LatencySummary, columns: number, paint: Paint): readonly string[] {
  const most = Math.max(...histogram.map(({ count }) => count));
  const labels = histogram.map(({ upToMs }) => `≤ ${durationText(upToMs)}`);
  const widest = Math.max(...labels.map((label) => label.length));
  const digits = String(most).length;
  const room = Math.max(4, Math.min(longestBar, columns - widest - digits - 4));
  return histogram.map(({ count }, at) => {
    const bar = '█'.repeat(Math.round((count / most) * room)) || (count > 0 ? '▏' : '');
    return `${(labels[at] as string).padStart(widest)}  ${String(count).padStart(digits)}  ${paint.cyan(bar)}`.trimEnd();
  });
}
