import { MicroError } from './error.ts';

/** The end of every options bag: a wait ends early when `signal` aborts. A deadline is `AbortSignal.timeout(ms)`. */
export interface AbortOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * The error an aborted wait rejects with: `timeout` where the signal's reason is a `TimeoutError`, else `canceled`; the
 * reason is its `cause`.
 */
export function abortError(signal: AbortSignal, what: string): MicroError {
  const reason: unknown = signal.reason;
  if (MicroError.is(reason, 'timeout') || MicroError.is(reason, 'canceled')) return reason;
  const timedOut = isTimeout(reason);
  return new MicroError(timedOut ? 'timeout' : 'canceled', `${what}: ${timedOut ? 'timed out' : 'canceled'}`, {
    cause: reason,
  });
}

function isTimeout(reason: unknown): boolean {
  try {
    return (reason as { name?: unknown } | undefined)?.name === 'TimeoutError';
  } catch {
    return false;
  }
}
