/** Whether two pieces of plain data hold the same; the order of keys does not count, and an absent key is an undefined one. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const one = a as Record<string, unknown>;
  const other = b as Record<string, unknown>;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  for (const key of keys) {
    const mine = Object.hasOwn(one, key) ? one[key] : undefined;
    const theirs = Object.hasOwn(other, key) ? other[key] : undefined;
    if (!deepEqual(mine, theirs)) return false;
  }
  return true;
}
