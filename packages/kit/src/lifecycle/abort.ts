import { type AbortOptions, abortError, MicroError } from '@ts-micro/core';
import { abortFanOut } from './abort-fan-out.ts';

/** Throws the abort error when `signal` is already aborted, and `invalid` where it is no signal. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal === undefined) return;
  const refusal = refusalOf(signal, what);
  if (refusal !== undefined) throw refusal;
}

/**
 * Returns the options of a close, which never rejects: a signal that is none is left out, and `AbortSignal.any` takes
 * the one that is left.
 */
export function closeOptions(options: AbortOptions | undefined): AbortOptions {
  const signal = options?.signal;
  return isSignal(signal) ? { signal: nativeSignal(signal) } : {};
}

/**
 * Returns a signal that `AbortSignal.any` takes: one of another realm, or of a package, is followed by one of this
 * realm.
 */
export function nativeSignal(signal: AbortSignal): AbortSignal {
  const isNative: boolean = signal instanceof AbortSignal;
  if (isNative) return signal;
  const following = new AbortController();
  try {
    if (signal.aborted) following.abort(signal.reason);
    else signal.addEventListener('abort', () => following.abort(signal.reason), { once: true });
  } catch {
    // One of the user's own making, that tells nobody when it aborts.
  }
  return following.signal;
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
  } catch {
    // Whatever it is, it is no signal.
  }
  if (isSignal(signal)) return undefined;
  return new MicroError('invalid', `${what}: option signal is not an AbortSignal`);
}

/** True for a signal of any realm. Never throws. */
function isSignal(value: unknown): value is AbortSignal {
  try {
    return typeof (value as Partial<AbortSignal> | null | undefined)?.addEventListener === 'function';
  } catch {
    return false;
  }
}
