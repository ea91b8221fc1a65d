/** Nobody means anything with a longer text, and to compare two of them takes long. */
const longest = 64;

/**
 * Returns the one of `names` that a slip of the fingers may have made `text` of: the fewest edits away, in any case,
 * and at most `most`.
 */
export function nearest(
  text: string,
  names: readonly string[],
  most: number = Number.POSITIVE_INFINITY,
): string | undefined {
  if (text.length > longest) return undefined;
  const wanted = text.toLowerCase();
  let best: string | undefined;
  let fewest = most + 1;
  for (const name of names) {
    const count = name.length > longest ? Number.POSITIVE_INFINITY : edits(wanted, name.toLowerCase());
    if (count < fewest) {
      best = name;
      fewest = count;
    }
  }
  return best;
}

/** Levenshtein's distance, one row at a time. */
function edits(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let line = 1; line <= one.length; line++) {
    const next = [line];
    for (let column = 1; column <= other.length; column++) {
      const replaced = (row[column - 1] as number) + (one[line - 1] === other[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] as number) + 1, (next[column - 1] as number) + 1));
    }
    row = next;
  }
  return row[other.length] as number;
}
