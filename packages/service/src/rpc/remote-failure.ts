import { type ErrorCode, MicroError } from '@ts-micro/core';
import { codeOfStatus } from './error-status.ts';
import { parseError, runtimeId } from './error-text.ts';

// The fixed texts of Go Micro's router, and of its server for a content type that it does not know.
const unknownEndpoint = /^rpc: (can't find (service|method) |service\/(endpoint|method) request ill-formed:)/;
const unsupportedType = /^unsupported content-type:/i;

/**
 * The error of a call that `who` answered with an error text.
 *
 * `remote` with the peer's words for what a handler answered; `not_found` where the peer has no such endpoint; `unsupported` for a content
 * type it does not know; and what a ts-micro runtime itself answered by its number: 503 is `unavailable`, safe to retry, as no handler ran.
 */
export function remoteFailure(text: string, who: string): MicroError {
  const remote = parseError(text);
  const code = codeOf(remote.id, remote.code, remote.detail);
  const words = remote.detail || remote.status || `error ${remote.code}`;
  return new MicroError(code, `${who}: ${words}`, {
    remote,
    retrySafe: remote.id === runtimeId && code === 'unavailable',
  });
}

function codeOf(id: string, status: number, detail: string): ErrorCode {
  if (id === runtimeId) return status === 500 ? 'remote' : (codeOfStatus(status) ?? 'remote');
  if (id === '' && status === 0) {
    if (unknownEndpoint.test(detail)) return 'not_found';
    if (unsupportedType.test(detail)) return 'unsupported';
  }
  return 'remote';
}

/** True for the text that a Go server answers a content type with that it does not know. */
export function isUnsupportedType(text: string): boolean {
  return unsupportedType.test(text);
}
