import { type ErrorCode, MicroError } from '@ts-micro/core';

// By identity, so that the mark stays in this process: what a caller relays is an answer like any other.
const refusals = new WeakSet<object>();

/**
 * Makes the error with which a middleware, or whatever wraps a handler, refuses a request that the handler has not
 * begun with.
 *
 * The caller fails with `code` itself and not with `remote`: `invalid` for a request that breaks a rule,
 * `unauthorized`; with `unavailable` it goes to another node, as nothing ran. A Go client gets the code's number.
 */
export function refuse(code: ErrorCode, message: string): MicroError {
  const error = new MicroError(code, message);
  refusals.add(error);
  return error;
}

/** True for what `refuse` made in this process. */
export function isRefusal(thrown: unknown): thrown is MicroError {
  return typeof thrown === 'object' && thrown !== null && refusals.has(thrown);
}
