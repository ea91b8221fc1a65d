import { type Figure, median } from './figure.ts';

/** A table of Markdown: each figure of two backends, and the second as a share of the first. */
export function comparison(
  [one, other]: readonly [string, string],
  runs: ReadonlyMap<string, readonly (readonly Figure[])[]>,
): readonly string[] {
  const middle = (name: string, what: string): number =>
    median((runs.get(name) ?? []).flat().flatMap((figure) => (figure.what === what ? [figure.value] : [])));
  const figures = runs.get(one)?.[0] ?? [];
  const rows = figures.map(({ what, unit }) => {
    const [first, second] = [middle(one, what), middle(other, what)];
    const ratio = second / first;
    return `| ${what} | ${textOf(first, unit)} | ${textOf(second, unit)} | ${ratio.toPrecision(2)} |`;
  });
  return [`| | ${one} | ${other} | ${other} : ${one} |`, '| --- | --- | --- | --- |', ...rows];
}

function textOf(value: number, unit: Figure['unit']): string {
  if (unit === '/s') return `${Math.round(value).toLocaleString('en')} a second`;
  return `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;
}
