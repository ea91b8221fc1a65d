import type { Outcome, Row } from './row.ts';

/** The rows that were run, as Markdown. */
export function table(
  results: readonly { readonly row: Row; readonly outcome: Outcome; readonly ms: number }[],
): string {
  const lines = ['| row | fault | expected | measured | verdict |', '| --- | --- | --- | --- | --- |'];
  for (const { row, outcome } of results) {
    const cells = [row.id, row.fault, row.expected, outcome.measured, outcome.ok ? 'ok' : 'FAIL'];
    lines.push(`| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`);
  }
  return lines.join('\n');
}
