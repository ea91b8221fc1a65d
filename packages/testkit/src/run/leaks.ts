import { eventually } from '../within.ts';

type Counts = Readonly<Record<string, number>>;

// Kinds that a backend can leak; requests in flight and the runner's own pipes come and go.
const kinds = new Set(['Timeout', 'TCPSocketWrap', 'TCPServerWrap', 'TLSWrap', 'UDPWrap', 'ProcessWrap', 'Worker']);

/** Timers, sockets and processes that keep this process alive now, by kind. */
export function activeResources(): Counts {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) if (kinds.has(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Waits until nothing counted is more than it was before, at most `ms`; then says what is. */
export async function assertSettled(
  what: string,
  before: Counts,
  count: () => Counts | Promise<Counts>,
  ms: number,
  places: () => readonly string[] = () => [],
): Promise<void> {
  await eventually(
    what,
    async () => {
      const grown = growth(before, await count());
      if (grown.length === 0) return;
      throw new Error([`${what}: ${grown.join(', ')}`, ...places()].join('; '));
    },
    ms,
  );
}

function growth(before: Counts, now: Counts): string[] {
  return Object.entries(now)
    .filter(([kind, count]) => count > (before[kind] ?? 0))
    .map(([kind, count]) => `${count - (before[kind] ?? 0)} ${kind} left over`);
}
