import { MicroError } from '@ts-micro/core';

const firstPauseMs = 100;
const longestPauseMs = 1000;
/** A peer that counts the same time ends a moment before the caller does. */
const toleranceMs = 5;
/** The numbers that a peer answers where the time is over: Go Micro's timeouts, ours, and a canceled wait. */
const timeCodes: readonly number[] = [408, 499, 504];

/** The state of a call that a decision goes by. */
export interface AttemptState {
  /** How far the attempt got; what fails before `sending` cannot have run. */
  readonly stage: 'choosing' | 'sending' | 'waiting';
  /** On a socket that was used before. */
  readonly isReused: boolean;
  /** Cut short by its time, a signal or a close. */
  readonly isCut: boolean;
}

/** True where an idle socket turned out to have ended before anything was sent, which is no attempt. */
export function isStale({ stage, isReused, isCut }: AttemptState, error: MicroError): boolean {
  const hasEnded = error.code === 'closed' || (error.code === 'unavailable' && error.retrySafe);
  return isReused && !isCut && stage === 'sending' && hasEnded;
}

/**
 * True where another attempt may follow: nothing ran, or running it twice does no harm. What a handler answered is
 * final.
 */
export function isRetryable(error: MicroError, isIdempotent: boolean): boolean {
  if (error.code !== 'unavailable' && error.code !== 'timeout') return false;
  return error.retrySafe || isIdempotent;
}

/** True where the failed attempt has cost a node something, so that another one adds to the load of the fleet. */
export function isCostly({ stage }: AttemptState, error: MicroError): boolean {
  return error.remote !== undefined || (stage !== 'choosing' && !error.retrySafe);
}

/** True for an answer that says only that the caller's time is over, once it is. */
export function isAboutTime(error: MicroError, remainingMs: number): boolean {
  if (error.remote === undefined) return false;
  return error.code === 'timeout' || (remainingMs <= toleranceMs && timeCodes.includes(error.remote.code));
}

/** How long to wait after so many failures: doubled each time up to a second, less by up to a half at random. */
export function pauseAfter(failures: number, random: number): number {
  const longestMs = Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs);
  return longestMs * (0.5 + random / 2);
}

/** Returns the error that a call fails with: not safe to retry where any of its attempts may have run. */
export function finalError(error: MicroError, mayHaveRun: boolean): MicroError {
  if (!error.retrySafe || !mayHaveRun) return error;
  const { code, message, remote } = error;
  return new MicroError(code, message, remote ? { cause: error, remote } : { cause: error });
}
