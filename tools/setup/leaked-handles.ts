import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';

// Longer than any close takes on a machine with much else to do.
const patienceMs = 10_000;
const before = countHandles();

afterAll(async () => {
  const deadline = performance.now() + patienceMs;
  let leaked = leakedHandles();
  // What was closed a moment ago may still be on its way out.
  while (leaked.length > 0 && performance.now() < deadline) {
    await sleep(20, undefined, { ref: false });
    leaked = leakedHandles();
  }
  if (leaked.length > 0) throw new Error(`this test file leaves open: ${leaked.join(', ')}`);
});

/** What keeps the event loop alive beyond what did so before the file was loaded, as `2 TCPSocketWrap`. */
function leakedHandles(): string[] {
  const leaked: string[] = [];
  for (const [kind, count] of countHandles()) {
    const more = count - (before.get(kind) ?? 0);
    if (more > 0) leaked.push(`${more} ${kind}`);
  }
  return leaked;
}

function countHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
