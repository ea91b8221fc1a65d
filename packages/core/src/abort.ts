import { MicroError } from './error.ts';

/** The end of every options bag: a wait ends early when `signal` aborts. A deadline is `AbortSignal.timeout(ms)`. */
export interface AbortOptions {
  readonly signal?: AbortSignal | undefined;
}

/** The error an aborted wait rejects with: `timeout` where the signal's reason is a `TimeoutError`, else `canceled`; the reason is its `cause`. */
export function abortError(signal: AbortSignal, what: string): MicroError {
  const reason: unknown = signal.reason;
  if (MicroError.is(reason, 'timeout') || MicroError.is(reason, 'canceled')) return reason;
  const timedOut = (reason as { name?: unknown } | undefined)?.name === 'TimeoutError';
  return new MicroError(timedOut ? 'timeout' : 'canceled', `${what}: ${timedOut ? 'timed out' : 'canceled'}`, {
    cause: reason,
  });
}

/** Throws {@link abortError} when `signal` is already aborted. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw abortError(signal, what);
}

/** Waits for `promise` no longer than `signal` allows; leaves no listener behind. The promise itself goes on unheard. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(abortError(signal, what));
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(abortError(signal, what));
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
