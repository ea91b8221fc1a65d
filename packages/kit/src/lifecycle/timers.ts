import type { AbortOptions } from '@ts-micro/core';
import { abortFanOut } from './abort-fan-out.ts';

/** The longest delay of a timer in milliseconds, some 25 days; a longer one would fire at once. */
export const longestTimerMs: number = 2 ** 31 - 1;

interface PauseOptions extends AbortOptions {
  /** Whether the pause keeps a process alive that has nothing else to do. @default true */
  readonly keepsAlive?: boolean | undefined;
}

/** Resolves after `delayMs`, or as soon as `signal` aborts. Leaves neither timer nor listener behind. */
export function pause(delayMs: number, { signal, keepsAlive = true }: PauseOptions = {}): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, Math.max(0, Math.min(delayMs, longestTimerMs)));
    if (!keepsAlive) timer.unref();
    const waiting = { onAbort: done };
    if (signal?.aborted) done();
    else if (signal) abortFanOut.add(signal, waiting);
    function done(): void {
      clearTimeout(timer);
      if (signal) abortFanOut.delete(signal, waiting);
      resolve();
    }
  });
}

/** Resolves once `promise` settles, or as soon as `signal` aborts. */
export function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      abortFanOut.delete(signal, waiting);
      resolve();
    };
    const waiting = { onAbort: done };
    abortFanOut.add(signal, waiting);
    promise.then(done, done);
  });
}
