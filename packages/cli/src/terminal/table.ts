import type { Paint, Painter } from './paint.ts';
import { printable } from './printable.ts';
import { fitted, widthOf } from './width.ts';

/** A cell: its text, and how it is coloured. */
export type Cell = string | { readonly text: string; readonly paint: Painter };

export interface Column {
  readonly title: string;
  /** Numbers stand to the right. @default false */
  readonly isNumber?: boolean | undefined;
  /** Gets narrower where the table is too wide. @default false */
  readonly shrinks?: boolean | undefined;
}

const gap = '  ';
const narrowest = 8;
/** Of a cell, in UTF-16 units. */
const longest = 2000;

/** Returns the lines of a table that takes at most `columns`, its head included. Controls in cells are made visible. */
export function tableLines(
  head: readonly Column[],
  rows: readonly (readonly Cell[])[],
  columns: number,
  paint: Paint,
): readonly string[] {
  const texts = rows.map((row) => row.map((cell) => shownText(typeof cell === 'string' ? cell : cell.text)));
  const widths = head.map(({ title }, at) =>
    texts.reduce((widest, row) => Math.max(widest, widthOf(row[at] ?? '')), title.length),
  );
  shrink(head, widths, columns);
  const line = (cells: readonly string[], painted: (text: string, at: number) => string) =>
    cells
      .map((text, at) => {
        const width = widths[at] as number;
        const shown = fitted(text, width);
        const space = ' '.repeat(Math.max(0, width - widthOf(shown)));
        return head[at]?.isNumber ? space + painted(shown, at) : painted(shown, at) + space;
      })
      .join(gap)
      .trimEnd();
  return [
    line(
      head.map(({ title }) => title),
      (text) => paint.bold(text),
    ),
    ...texts.map((row, number) =>
      line(row, (text, at) => {
        const cell = rows[number]?.[at];
        return typeof cell === 'object' ? cell.paint(text) : text;
      }),
    ),
  ];
}

/** One long text must not make every row as long. */
function shownText(text: string): string {
  const shown = printable(text.slice(0, longest));
  return text.length > longest ? `${shown}…` : shown;
}

/** Takes from the widest of the columns that may get narrower, and where that is not enough, from the widest of all. */
function shrink(head: readonly Column[], widths: number[], columns: number): void {
  let surplus = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1)) - columns;
  const all = head.map((_, at) => at);
  for (const chosen of [all.filter((at) => head[at]?.shrinks), all]) {
    while (surplus > 0) {
      const widest = chosen.reduce(
        (best, at) => (widthAt(widths, at) > widthAt(widths, best) ? at : best),
        chosen[0] ?? 0,
      );
      if (chosen.length === 0 || widthAt(widths, widest) <= narrowest) break;
      widths[widest] = widthAt(widths, widest) - 1;
      surplus--;
    }
  }
}

function widthAt(widths: readonly number[], at: number): number {
  return widths[at] as number;
}
