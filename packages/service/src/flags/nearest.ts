/** Returns the one of `names` that is the fewest edits away from `text`, and at most `most`. */
export function nearest(
  text: string,
  names: readonly string[],
  most: number = Number.POSITIVE_INFINITY,
): string | undefined {
  let best: string | undefined;
  let fewest = most + 1;
  for (const name of names) {
    // A text that is so much longer needs no table of that size.
    const count = Math.abs(text.length - name.length) > 64 ? Number.POSITIVE_INFINITY : edits(text, name);
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
