import type { AbortOptions } from '@ts-micro/core';
import { abortable } from './abort.ts';
import { longestTimerMs } from './timers.ts';

/**
 * Waits for `work` until `signal` aborts or `boundMs` have passed; then rejects with `canceled` or `timeout`. Does not
 * stop the work itself.
 */
export async function bounded<T>(
  work: Promise<T>,
  { signal }: AbortOptions,
  boundMs: number,
  what: string,
): Promise<T> {
  const bound = new AbortController();
  const expire = () => bound.abort(new DOMException(`${boundMs} ms have passed`, 'TimeoutError'));
  const timer = setTimeout(expire, Math.max(0, Math.min(boundMs, longestTimerMs)));
  try {
    return await abortable(abortable(work, signal, what), bound.signal, what);
  } finally {
    clearTimeout(timer);
  }
}
