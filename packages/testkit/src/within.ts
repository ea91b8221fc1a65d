// The global may be watched for timers left over, and these are the kit's own.
import { clearTimeout, setTimeout } from 'node:timers';

const pollMs = 10;

/** Waits for `promise`, but no longer than `ms`. */
export function within<T>(promise: Promise<T>, what: string, ms: number): Promise<T> {
  const late = new Error(`${what}: still waiting after ${ms} ms`);
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(late), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * Waits for `promise` as `within` does, and longer while something happens again and again, as on a machine that is
 * slow: until nothing has for `quietMs`, at most `longestMs`. `lastMs` is when something last did, as
 * `performance.now()` has it.
 */
export function withinProgress<T>(
  promise: Promise<T>,
  what: string,
  { ms, quietMs, longestMs, lastMs }: { ms: number; quietMs: number; longestMs: number; lastMs: () => number },
): Promise<T> {
  const started = performance.now();
  const late = new Error(`${what}: still waiting after ${ms} ms`);
  return new Promise<T>((resolve, reject) => {
    const look = (): void => {
      const leftMs = Math.min(lastMs() + quietMs, started + longestMs) - performance.now();
      if (leftMs > 0) timer = setTimeout(look, leftMs);
      else reject(late);
    };
    let timer = setTimeout(look, ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Asks until the answer is true, but no longer than `ms`. What `check` throws ends it at once. */
export async function until(what: string, check: () => boolean | Promise<boolean>, ms: number): Promise<void> {
  const late = new Error(`${what}: not so after ${ms} ms`);
  const deadline = performance.now() + ms;
  for (;;) {
    const isSo = check();
    if (isSo === true || (isSo !== false && (await within(isSo, what, ms)))) return;
    if (performance.now() >= deadline) throw late;
    await pause();
  }
}

/** Tries until nothing is thrown, but no longer than `ms`; then rejects with what was thrown last. */
export async function eventually(what: string, attempt: () => void | Promise<void>, ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  for (;;) {
    try {
      await within(Promise.resolve(attempt()), what, ms);
      return;
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pollMs));
}
