import { MicroError } from '@ts-micro/core';
import type { ErrorAnswer } from '../../rpc/error-origin.ts';
import { errorOfThrown, formatError, isAbort } from '../../rpc/error-text.ts';
import { isRefusal } from '../../rpc/refusal.ts';
import { runtimeError } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';

/** A nested call counts the time of its caller from a moment later than its caller does. */
const toleranceMs = 5;

/**
 * Returns the answer for a handler that threw: its error, or `failed` with 504 where the caller's time is over, however
 * the handler ended. A caller's own deadline that a nested call or an aborted wait brings back is no answer of the
 * handler. Never throws.
 */
export function thrownAnswer(thrown: unknown, context: HandlerContext, service: string): ErrorAnswer {
  const remainingMs = context.remainingMs ?? Number.POSITIVE_INFINITY;
  if (remainingMs <= 0 || (remainingMs <= toleranceMs && (context.isAborted || isAboutTime(thrown))))
    return pastDeadline(context, service);
  return { text: textOfThrown(thrown, service), origin: isRefusal(thrown) ? 'refused' : 'handler' };
}

/**
 * Returns the same for a handler that was told of the deadline and then returned: what it has by then may be half of an
 * answer. `undefined` for any other.
 */
export function lateAnswer(context: HandlerContext, service: string): ErrorAnswer | undefined {
  if (!context.isAborted || (context.remainingMs ?? Number.POSITIVE_INFINITY) > toleranceMs) return undefined;
  return pastDeadline(context, service);
}

function pastDeadline({ endpoint }: HandlerContext, service: string): ErrorAnswer {
  return runtimeError(504, `${service} ${endpoint}: the deadline of the caller has passed`, 'failed');
}

function textOfThrown(thrown: unknown, service: string): string {
  const error = errorOfThrown(thrown, service);
  try {
    return formatError(error);
  } catch {
    // Its data has no JSON form.
    const { data: _data, ...rest } = error;
    return formatError(rest);
  }
}

function isAboutTime(thrown: unknown): boolean {
  return isAbort(thrown) || MicroError.is(thrown, 'timeout') || MicroError.is(thrown, 'canceled');
}
