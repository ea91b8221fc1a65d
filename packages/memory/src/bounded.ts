import { type AbortOptions, abortable } from '@ts-micro/core';
import { longestTimerMs } from './longest-timer.ts';

/** Waits for `work` until `signal` aborts or `boundMs` have passed; then rejects with `canceled` or `timeout`. */
export async function bounded(
  work: Promise<unknown>,
  { signal }: AbortOptions,
  boundMs: number,
  what: string,
): Promise<void> {
  const bound = new AbortController();
  const expire = () => bound.abort(new DOMException(`${boundMs} ms have passed`, 'TimeoutError'));
  const timer = setTimeout(expire, Math.min(boundMs, longestTimerMs));
  try {
    await abortable(abortable(work, signal, what), bound.signal, what);
  } finally {
    clearTimeout(timer);
  }
}
