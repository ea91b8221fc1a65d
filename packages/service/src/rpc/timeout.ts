import { MicroError } from '@ts-micro/core';

/**
 * Writes the time that remains for an answer as both dialects have it: whole nanoseconds, at least one. Throws
 * `invalid` for NaN.
 */
export function nanosecondsOf(timeoutMs: number): string {
  if (Number.isNaN(timeoutMs)) throw new MicroError('invalid', 'rpc: timeoutMs is not a number');
  return String(Math.min(Math.max(Math.round(timeoutMs * 1e6), 1), Number.MAX_SAFE_INTEGER));
}

/** Reads what {@link nanosecondsOf} wrote as milliseconds; `undefined` unless it is a positive whole number. */
export function timeoutMsOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,19}$/.test(text)) return undefined;
  const timeoutMs = Number(text) / 1e6;
  return timeoutMs > 0 ? timeoutMs : undefined;
}
