/** Resolves after `ms`. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Tries until `attempt` gives something other than undefined and false, and returns that. Throws with the last failure
 * after `waitMs`.
 */
export async function eventually<T>(
  what: string,
  attempt: () => T | undefined | false | Promise<T | undefined | false>,
  waitMs = 10_000,
): Promise<T> {
  const deadline = Date.now() + waitMs;
  let last = '';
  for (;;) {
    try {
      const result = await attempt();
      if (result !== undefined && result !== false) return result;
    } catch (error) {
      last = `: ${(error as Error).message}`;
    }
    if (Date.now() >= deadline) throw new Error(`not within ${waitMs} ms: ${what}${last}`);
    await sleep(25);
  }
}
