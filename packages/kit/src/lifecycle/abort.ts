import { abortError, MicroError } from '@ts-micro/core';
import { abortFanOut } from './abort-fan-out.ts';

/** Throws the abort error when `signal` is already aborted. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw abortError(signal, what);
}

/**
 * Waits for `promise` no longer than `signal` allows; leaves no listener behind, and does not stop the promise itself.
 * Rejects with `invalid` where `signal` is none.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
  if (signal === undefined) return promise;
  const refusal = refusalOf(signal, what);
  if (refusal !== undefined) {
    promise.catch(() => {});
    return Promise.reject(refusal);
  }
  return new Promise<T>((resolve, reject) => {
    const waiting = { onAbort: () => reject(abortError(signal, what)) };
    abortFanOut.add(signal, waiting);
    promise.then(resolve, reject).finally(() => abortFanOut.delete(signal, waiting));
  });
}

function refusalOf(signal: AbortSignal, what: string): MicroError | undefined {
  try {
    if (signal.aborted) return abortError(signal, what);
    if (typeof signal.addEventListener === 'function') return undefined;
  } catch {
    // Whatever it is, it is no signal.
  }
  return new MicroError('invalid', `${what}: option signal is not an AbortSignal`);
}
