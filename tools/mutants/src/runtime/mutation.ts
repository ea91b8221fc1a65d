/** One small change of the runtime's sources. */
export interface Mutation {
  /** From the root of the repository. */
  readonly file: string;
  /** What it does: `negates`, `removes`. */
  readonly operator: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
  /** What stands there, and what is put in its place. */
  readonly from: string;
  readonly to: string;
}

/** The sources with one change. */
export function mutated(source: string, { start, end, from, to }: Mutation): string {
  if (source.slice(start, end) !== from) throw new Error(`the source does not say ${from} at ${start}`);
  return source.slice(0, start) + to + source.slice(end);
}

/** `packages/kit/src/lifecycle/timers.ts:14 removes: clearTimeout(timer);` in one line. */
export function describeMutation({ file, line, operator, from, to }: Mutation): string {
  const change = operator === 'removes' ? from : `${from} -> ${to}`;
  return `${file}:${line} ${operator}: ${change.replace(/\s+/g, ' ').slice(0, 160)}`;
}
