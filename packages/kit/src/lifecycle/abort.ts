import { abortError } from '@ts-micro/core';
import { abortFanOut } from './abort-fan-out.ts';

/** Throws the abort error when `signal` is already aborted. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw abortError(signal, what);
}

/**
 * Waits for `promise` no longer than `signal` allows; leaves no listener behind, and does not stop the promise itself.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(abortError(signal, what));
  }
  return new Promise<T>((resolve, reject) => {
    const waiting = { onAbort: () => reject(abortError(signal, what)) };
    abortFanOut.add(signal, waiting);
    promise.then(resolve, reject).finally(() => abortFanOut.delete(signal, waiting));
  });
}
