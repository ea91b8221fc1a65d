import { MicroError, type RemoteError } from '@ts-micro/core';
import { goJson } from './codec/json.ts';
import { statusOfCode } from './error-status.ts';
import { isRefusal } from './refusal.ts';
import { statusPhrase } from './status-phrase.ts';

/**
 * The id in the words of the runtime of a ts-micro service. Who speaks is told by a mark beside the text: see
 * `error-origin.ts`.
 */
export const runtimeId = 'ts-micro.server';

const shortLength = 1000;

/** An error of this id, code and detail, its status the code's phrase. */
export function remoteError(id: string, code: number, detail: string): RemoteError {
  return { id, code, detail, status: statusPhrase(code) };
}

/** The text of `Micro-Error`: compact JSON without what is empty. (Go Micro: `errors.Error.Error()`.) */
export function formatError({ id, code, detail, status, name, data }: RemoteError): string {
  return goJson({
    id: id === '' ? undefined : id,
    code: Math.trunc(code) || undefined,
    detail: detail === '' ? undefined : detail,
    status: status === '' ? undefined : status,
    name,
    data,
  });
}

/**
 * Returns the content of an error text. What is not such a JSON object, or one that says nothing, is the `detail` as a
 * whole, with code 0. (Go Micro: `errors.Parse`.)
 */
export function parseError(text: string): RemoteError {
  if (text.startsWith('{')) {
    try {
      const value = JSON.parse(text) as Record<string, unknown>;
      const error: RemoteError = {
        id: textOf(value.id),
        code: typeof value.code === 'number' && Number.isInteger(value.code) ? value.code : 0,
        detail: textOf(value.detail),
        status: textOf(value.status),
        ...(typeof value.name === 'string' && { name: value.name }),
        ...(value.data !== undefined && { data: value.data }),
      };
      if (error.id !== '' || error.code !== 0 || error.detail !== '') return error;
    } catch {
      // Plain text that happens to begin with a brace.
    }
  }
  return { id: '', code: 0, detail: text, status: '' };
}

/** The same error in few words, for when its text is more than a message can carry. */
export function shortenError(text: string): string {
  const { id, code, detail, status } = parseError(text);
  return formatError({
    id: id.slice(0, shortLength),
    code,
    detail: `${detail.slice(0, shortLength)}...`,
    status: status.slice(0, shortLength),
  });
}

/**
 * True for what an aborted wait throws: the reason of `AbortSignal.timeout` or of an `abort()` without one. Never
 * throws.
 */
export function isAbort(thrown: unknown): boolean {
  const name = nameOf(thrown);
  return name === 'TimeoutError' || name === 'AbortError';
}

/**
 * Returns what goes out for an error that a handler threw: what `refuse` made as the runtime's own, the `remote` of
 * another `MicroError`, one without by its code and message, an aborted wait as `timeout` or `canceled`, anything else
 * as code 500 with its message, as Go sends `err.Error()`; never a stack or a cause. Never throws, whatever was thrown.
 *
 * A relayed error loses two things, as it is this handler's answer now: the id of a runtime, and the code 408, which
 * would make a Go client run the request again.
 */
export function errorOfThrown(thrown: unknown, service: string): RemoteError {
  try {
    if (isRefusal(thrown)) return remoteError(runtimeId, statusOfCode(thrown.code), thrown.message);
    if (MicroError.is(thrown)) {
      const { remote } = thrown;
      if (remote === undefined) return remoteError(service, statusOfCode(thrown.code), wordsOf(thrown));
      return relayed(remote, service);
    }
  } catch {
    // A getter that throws.
  }
  const code = isAbort(thrown) ? statusOfCode(nameOf(thrown) === 'TimeoutError' ? 'timeout' : 'canceled') : 500;
  return remoteError(service, code, wordsOf(thrown));
}

function relayed(remote: RemoteError, service: string): RemoteError {
  const id = textOf(remote.id);
  const code = Number.isInteger(remote.code) ? remote.code : 0;
  const given: RemoteError = {
    id: id === runtimeId ? service : id,
    code,
    detail: textOf(remote.detail),
    status: textOf(remote.status),
    ...(typeof remote.name === 'string' && { name: remote.name }),
    ...(remote.data !== undefined && { data: remote.data }),
  };
  return code === 408 ? { ...given, code: 504, status: statusPhrase(504) } : given;
}

function wordsOf(thrown: unknown): string {
  const words = typeof thrown === 'string' || hasMessage(thrown) ? MicroError.textOf(thrown) : '';
  // An error without a text would look like success to a Go client.
  return words === '' ? 'the handler failed' : words;
}

function hasMessage(thrown: unknown): boolean {
  try {
    return typeof thrown === 'object' && thrown !== null && 'message' in thrown;
  } catch {
    // A proxy.
    return false;
  }
}

function nameOf(thrown: unknown): unknown {
  try {
    return (thrown as { name?: unknown } | null | undefined)?.name;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
