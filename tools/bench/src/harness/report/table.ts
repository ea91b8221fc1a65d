import type { Summary } from './statistics.ts';

/** Rows of text under a head, for people. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The table as Markdown with aligned columns; the first is text, the others are numbers. */
export function tableText({ head, rows }: Table): string {
  const widths = head.map((cell, column) => Math.max(3, cell.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => pad(cells[column] ?? '', width, column)).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** A whole number, or three figures that count: `4`, `0.123`, `12.3`, `12,346`. */
export function numberText(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}

/** The median alone. */
export function medianText(summary: Summary | undefined): string {
  return summary === undefined ? '' : numberText(summary.median);
}

/** The median and, in brackets, the quartiles. */
export function summaryText(summary: Summary | undefined): string {
  if (summary === undefined) return '';
  return `${numberText(summary.median)} [${numberText(summary.low)}..${numberText(summary.high)}]`;
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
