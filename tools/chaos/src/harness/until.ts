import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until `holds`; the time it took in milliseconds, or `undefined` where it did not within `limitMs`. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  limitMs: number,
  everyMs: number = 10,
): Promise<number | undefined> {
  const beganMs = performance.now();
  for (;;) {
    const isSo = await holds();
    const tookMs = performance.now() - beganMs;
    if (isSo) return Math.round(tookMs);
    if (tookMs > limitMs) return undefined;
    await sleep(everyMs);
  }
}
