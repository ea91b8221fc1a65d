import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What this process holds after a collection. */
export interface Held {
  readonly heapMiB: number;
  readonly rssMiB: number;
  /** Sockets, timers and the like. */
  readonly handles: number;
}

let collect: (() => void) | undefined;

export async function held(): Promise<Held> {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heapMiB: mib(heapUsed), rssMiB: mib(rss), handles: process.getActiveResourcesInfo().length };
}

export function mib(bytes: number): number {
  return Math.round(bytes / 1024 / 102.4) / 10;
}
