/** Colours a text, or leaves it as it is. */
export type Painter = (text: string) => string;

export interface Paint {
  readonly bold: Painter;
  readonly dim: Painter;
  readonly red: Painter;
  readonly green: Painter;
  readonly yellow: Painter;
  readonly cyan: Painter;
  readonly inverse: Painter;
}

const codes: Readonly<Record<keyof Paint, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
  inverse: [7, 27],
};

/** Returns painters that colour, or ones that change nothing. */
export function paints(hasColour: boolean): Paint {
  const painters = Object.entries(codes).map(([name, [on, off]]) => [
    name,
    hasColour ? (text: string) => `\u001b[${on}m${text}\u001b[${off}m` : (text: string) => text,
  ]);
  return Object.fromEntries(painters) as unknown as Paint;
}

/**
 * Whether to colour: `NO_COLOR` and `--no-color` forbid it, `FORCE_COLOR` demands it, else a terminal gets it.
 * See https://no-color.org.
 */
export function wantsColour(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return true;
  return isTerminal && env.TERM !== 'dumb';
}
