/**
 * Throws where an invariant of a target does not hold; cheaper than an assertion of the test runner, a million times
 * over.
 */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
