import type { AbortOptions, Closable } from '@ts-micro/core';

/**
 * Closes all of them at once; then throws what the first of them had to abandon, so that their owner ends with it too.
 */
export async function closeAll(members: Iterable<Closable>, options: AbortOptions = {}): Promise<void> {
  const closing = Array.from(members, async (member) => {
    await member.close(options);
    return member.closed;
  });
  const cause = (await Promise.all(closing)).find((ended) => ended !== undefined);
  if (cause) throw cause;
}
