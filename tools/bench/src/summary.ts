import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { barChart } from './harness/report/bar-chart.ts';
import { numberText, type Table, tableText } from './harness/report/table.ts';
import type { Outcome } from './harness/target.ts';

// Several runs of the benchmark as Markdown for docs/performance.md, and as a plot:
// `summary run1.json run2.json ... [--plot file.svg]`.

/** What is used of the JSON of a run. */
interface Run {
  readonly workloads: readonly {
    readonly name: string;
    readonly title: string;
    readonly tables: readonly Table[];
    readonly outcomes: readonly Outcome[];
    readonly notes?: readonly string[];
  }[];
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { plot: { type: 'string' } } });
if (positionals.length === 0) throw new Error('summary: give the files that `npm run bench -- --json FILE` wrote');
const runs = positionals.map((file): Run => JSON.parse(readFileSync(file, 'utf8')));

console.log(`### Promises\n\n${tableText(promises(runs))}`);
const last = runs.at(-1) as Run;
for (const { title, tables, notes = [] } of last.workloads) {
  if (tables.length > 0) console.log(`\n### ${title}\n\n${[...tables.map(tableText), ...notes].join('\n\n')}`);
}
if (values.plot !== undefined) writeFileSync(values.plot, plot(runs));

/** Each promise with what every run measured and the median of that, by which it is judged. */
function promises(all: readonly Run[]): Table {
  const outcomes = all.map((run) => run.workloads.flatMap((workload) => workload.outcomes));
  const rows = (outcomes[0] ?? []).map(({ row, target, verdict }) => {
    const same = outcomes.map((list) => list.find((other) => other.row === row && other.target === target));
    const measured = same.map((outcome) => outcome?.measured.replace(/ \[.*/, '') ?? '');
    const numbers = measured.map((text) => Number(text.replace(/,/g, '')));
    const isJudged = /^[<>]= [\d.]+/.test(target) && !numbers.some(Number.isNaN);
    if (!isJudged) return [row, target, ...measured, '', verdict];
    const middle = median(numbers);
    return [row, target, ...measured, numberText(middle), isMet(middle, target) ? 'met' : 'missed'];
  });
  return { head: ['promise', 'target', ...all.map((_, index) => `run ${index + 1}`), 'median', 'verdict'], rows };
}

function isMet(value: number, target: string): boolean {
  const limit = Number.parseFloat(target.slice(3));
  return target.startsWith('>=') ? value >= limit : value <= limit;
}

/** Calls per second at 64 in flight as multiples of raw: of each contender the median of the runs. */
function plot(all: readonly Run[]): string {
  const ratios = new Map<string, number[]>();
  for (const { workloads } of all) {
    const table = workloads.find(({ name }) => name === 'unary-64')?.tables[0];
    const column = table?.head.indexOf('x raw') ?? -1;
    for (const row of table?.rows ?? []) {
      const ratio = Number.parseFloat(row[column] ?? '');
      if (!Number.isNaN(ratio)) ratios.set(row[0] as string, [...(ratios.get(row[0] as string) ?? []), ratio]);
    }
  }
  const bars = [...ratios].map(([label, list]) => ({ label, value: median(list) }));
  return barChart('Unary calls of 128 B JSON, 64 in flight', 'calls per second, as multiples of nats request()', bars);
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
