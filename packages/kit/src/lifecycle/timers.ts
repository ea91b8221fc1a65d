import type { AbortOptions } from '@ts-micro/core';

/** The longest delay of a timer in milliseconds, some 25 days; a longer one would fire at once. */
export const longestTimerMs: number = 2 ** 31 - 1;

interface PauseOptions extends AbortOptions {
  /** Whether the pause keeps a process alive that has nothing else to do. @default true */
  readonly keepsAlive?: boolean | undefined;
}

/** Resolves after `delayMs`, or as soon as `signal` aborts. Leaves neither timer nor listener behind. */
export function pause(delayMs: number, { signal, keepsAlive = true }: PauseOptions = {}): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, Math.min(delayMs, longestTimerMs));
    if (!keepsAlive) timer.unref();
    signal?.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    if (signal?.aborted) done();
  });
}

/** Resolves once `promise` settles, or as soon as `signal` aborts. */
export function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    promise.then(done, done);
  });
}
