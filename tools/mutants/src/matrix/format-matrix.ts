import type { InterfaceName } from '@ts-micro/testkit';
import type { Matrix, Row } from './matrix.ts';

const interfaces: readonly InterfaceName[] = ['transport', 'broker', 'registry'];

/** Tables for people, in Markdown, and what is wrong, if anything is; the summary is the last line. */
export function formatMatrix(matrix: Matrix): string {
  const sections = interfaces.flatMap((interfaceName) => {
    const rows = matrix.rows.filter((row) => row.interface === interfaceName);
    return rows.length === 0 ? [] : [`## ${interfaceName}`, mutantTable(rows), caseTable(matrix, interfaceName)];
  });
  return [...sections, problems(matrix), summary(matrix)].filter((section) => section !== '').join('\n\n');
}

/** `mutants: 300 of 300 caught, 181 of 181 cases bite`. */
function summary({ rows, columns, slipped, missed, toothless }: Matrix): string {
  const mutants = `${rows.length - slipped.length} of ${rows.length} caught`;
  const cases = columns.length > 0 ? `, ${columns.length - toothless.length} of ${columns.length} cases bite` : '';
  return `mutants: ${mutants}${cases}${missed.length > 0 ? `, ${missed.length} missed by a case made for them` : ''}`;
}

function mutantTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const others = row.caughtBy.filter((id) => !row.madeFor.includes(id)).length;
    const made = row.madeFor.map((id) => `${slug(id)}${row.caughtBy.includes(id) ? '' : ' (MISSED)'}`);
    return [row.name, row.breaks, [...made, ...(others > 0 ? [`and ${others} more`] : [])].join(', ')];
  });
  return table(['mutant', 'what is broken', 'caught by'], lines);
}

function caseTable({ rows, columns }: Matrix, interfaceName: InterfaceName): string {
  const lines = columns
    .filter((column) => column.interface === interfaceName)
    .map(({ id, line, caught }) => {
      const made = rows.filter(({ madeFor }) => madeFor.includes(id)).length;
      return [slug(id), line, `${caught.length} (${made})`];
    });
  return lines.length === 0 ? '' : table(['case', 'line of the contract', 'catches (made for it)'], lines);
}

function problems({ slipped, missed, toothless }: Matrix): string {
  return [
    ...slipped.map((mutant) => `SLIPPED ${mutant}: no case caught it`),
    ...missed.map(({ mutant, case: id }) => `MISSED ${mutant}: ${id} did not catch it`),
    ...toothless.map((id) => `TOOTHLESS ${id}: it caught nothing`),
  ].join('\n');
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, index) => Math.max(title.length, ...lines.map((line) => (line[index] ?? '').length)));
  const format = (cells: readonly string[]) =>
    `| ${cells.map((cell, index) => cell.padEnd(index < head.length - 1 ? (widths[index] ?? 0) : 0)).join(' | ')} |`;
  return [format(head), format(widths.map((width, index) => (index < head.length - 1 ? '-'.repeat(width) : '---')))]
    .concat(lines.map(format))
    .join('\n');
}

function slug(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}
