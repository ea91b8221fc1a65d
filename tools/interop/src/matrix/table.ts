import type { Generation } from '../generation.ts';
import type { Direction, Outcome, Row } from './row.ts';

const headings: Readonly<Record<Direction, string>> = {
  'ts->go': 'TypeScript client to Go server',
  'go->ts': 'Go client to TypeScript server',
  events: 'Events both ways',
  registry: 'Registry both ways',
  command: "Go Micro's command line",
  robustness: 'Nobody crashes',
};

/** The matrix as Markdown: rows are behaviours, columns are Go Micro versions. */
export function table(
  generations: readonly Generation[],
  rows: readonly Row[],
  outcomeOf: (generation: Generation, row: Row) => Outcome | undefined,
): string {
  const lines: string[] = [];
  let direction: Direction | undefined;
  for (const row of rows) {
    if (row.direction !== direction) {
      direction = row.direction;
      if (lines.length > 0) lines.push('');
      lines.push(`| ${headings[direction]} | ${generations.map(({ title }) => title).join(' | ')} |`);
      lines.push(`|---|${generations.map(() => '---|').join('')}`);
    }
    lines.push(
      `| ${row.title} | ${generations.map((generation) => cell(generation, row, outcomeOf(generation, row))).join(' | ')} |`,
    );
  }
  return lines.join('\n');
}

function cell({ name }: Generation, row: Row, outcome: Outcome | undefined): string {
  if (row.generations?.includes(name) === false) return 'has none';
  if (outcome === undefined) return 'not run';
  return outcome.kind === 'fail' ? 'FAIL' : outcome.kind;
}
