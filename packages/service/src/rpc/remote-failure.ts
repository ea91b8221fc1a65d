import { type ErrorCode, MicroError, type RemoteError } from '@ts-micro/core';
import type { ErrorAnswer, ErrorOrigin } from './error-origin.ts';
import { codeOfStatus } from './error-status.ts';
import { parseError } from './error-text.ts';

// The fixed texts of Go Micro's router, and of its server for a content type that it does not know.
const unknownEndpoint = /^rpc: (can't find (service|method) |service\/(endpoint|method) request ill-formed:)/;
const unsupportedType = /^unsupported content-type:/i;

/**
 * The error of a call that `who` answered with an error.
 *
 * `remote` with the peer's words for what a handler answered, whatever it relays; `not_found` where the peer has no
 * such endpoint; `unsupported` for a content type it does not know; and what a ts-micro runtime itself says of this
 * request by its number: 503 is `unavailable`, 504 `timeout`. It is safe to retry where the runtime refused it, as no
 * handler ran.
 */
export function remoteFailure({ text, origin }: ErrorAnswer, who: string): MicroError {
  const remote = parseError(text);
  const words = remote.detail || remote.status || `error ${remote.code}`;
  // A runtime of this package begins with the same names.
  const message = words.startsWith(`${who}: `) ? words : `${who}: ${words}`;
  return new MicroError(codeOf(remote, text, origin), message, { remote, retrySafe: origin === 'refused' });
}

function codeOf({ id, code, detail }: RemoteError, text: string, origin: ErrorOrigin): ErrorCode {
  // These are plain text from a router. A handler of this package answers JSON, so that what it relays is never taken
  // for them.
  if (id === '' && code === 0 && !text.startsWith('{')) {
    if (unknownEndpoint.test(detail)) return 'not_found';
    if (unsupportedType.test(detail)) return 'unsupported';
  }
  if (origin === 'handler' || code === 500) return 'remote';
  return codeOfStatus(code) ?? 'remote';
}

/** True for the text that a Go server answers a content type with that it does not know. */
export function isUnsupportedType(text: string): boolean {
  return unsupportedType.test(text);
}
