import { type ErrorCode, MicroError } from '@ts-micro/core';
import { shown } from '@ts-micro/kit';
import { noRespondersError } from './no-responders.ts';

// By the `code` of nats 2.x and of Node's own errors, and by the `name` of @nats-io 3.x.
const codes: Readonly<Record<string, ErrorCode>> = {
  TIMEOUT: 'timeout',
  TimeoutError: 'timeout',
  CONNECTION_CLOSED: 'closed',
  ClosedConnectionError: 'closed',
  CONNECTION_DRAINING: 'closed',
  DrainingConnectionError: 'closed',
  SUB_CLOSED: 'closed',
  SUB_DRAINING: 'closed',
  DISCONNECT: 'unavailable',
  CONNECTION_REFUSED: 'unavailable',
  CONNECTION_TIMEOUT: 'unavailable',
  ConnectionError: 'unavailable',
  AUTHENTICATION_TIMEOUT: 'unavailable',
  MAX_PAYLOAD_EXCEEDED: 'too_large',
  BAD_SUBJECT: 'invalid',
  InvalidSubjectError: 'invalid',
  BAD_HEADER: 'invalid',
  BAD_PAYLOAD: 'invalid',
  INVALID_OPTION: 'invalid',
  InvalidOptionError: 'invalid',
  InvalidArgumentError: 'invalid',
  BAD_CREDS: 'invalid',
  NKeysError: 'invalid',
  SERVER_OPT_NA: 'unsupported',
  PERMISSIONS_VIOLATION: 'unauthorized',
  PermissionViolationError: 'unauthorized',
  BAD_AUTHENTICATION: 'unauthorized',
  AUTHORIZATION_VIOLATION: 'unauthorized',
  AuthorizationError: 'unauthorized',
  AUTHENTICATION_EXPIRED: 'unauthorized',
  UserAuthenticationExpiredError: 'unauthorized',
  ACCOUNT_EXPIRED: 'unauthorized',
};

/** A sentence with the longest subject and queue is shorter. */
const mostSentence = 10_000;

/**
 * The one place where errors of the NATS client become ours: those of `nats` 2.x and of `@nats-io/*` 3.x, kept as
 * `cause`.
 *
 * `what` begins the message: `nats: subscribing to "greeter"`. No responders is `unavailable` and safe to retry.
 */
export function mapNatsError(error: unknown, what: string): MicroError {
  if (MicroError.is(error)) return error;
  const { code, name, cause, syscall, message } = facts(error);
  // @nats-io 3.x wraps what happened into a RequestError.
  if (name === 'RequestError' && cause !== undefined) {
    const inner = mapNatsError(cause, what);
    return new MicroError(inner.code, inner.message, { cause: error, retrySafe: inner.retrySafe });
  }
  if (code === '503' || name === 'NoResponders' || name === 'NoRespondersError')
    return noRespondersError(what, { cause: error });
  return new MicroError(codeOf(code, name, syscall, message), `${what}: ${textOf(error, code, message)}`, {
    cause: error,
  });
}

/**
 * Returns the error of a sentence with which the server complained: `maximum connections exceeded`. What is about who
 * the client is, or may
 * do, is `unauthorized`, the rest `unavailable`.
 */
export function serverError(sentence: string, what: string): MicroError {
  return new MicroError(sentenceCode(sentence), `${what}: ${shownSentence(sentence)}`);
}

/** Peers choose what is quoted in it, as where they want an answer; the rest is the server's. */
export function shownSentence(sentence: string): string {
  const parts = sentence.slice(0, mostSentence).split('"');
  return parts.map((part) => shown(part)).join('"');
}

function sentenceCode(sentence: string): ErrorCode {
  if (/permissions violation|authorization|authentication (expired|revoked|required)|credentials/i.test(sentence)) {
    return 'unauthorized';
  }
  if (/maximum payload/i.test(sentence)) return 'too_large';
  return /invalid .*subject/i.test(sentence) ? 'invalid' : 'unavailable';
}

function textOf(error: unknown, code: string, message: string): string {
  if (/HANDSHAKE_FAILURE/.test(code))
    return `TLS: the server refused the handshake, as one does that wants a client certificate (${message.trim()})`;
  if (/WRONG_VERSION_NUMBER/.test(code))
    return 'TLS: the server answered with something else; it may begin in the clear, or not speak TLS at all';
  if (isRefusedCertificate(code))
    return `TLS: the server refused this client's certificate, or wants one (${message.trim()})`;
  // The client's words for a link that ended without an error.
  if (message === 'node provided an undefined error!') return 'the server ended the connection';
  if (code === 'SERVER_OPT_NA') return `the server does not offer ${message}`;
  // The client's errors of some codes have their words in what they were made from.
  const { chainedError, errors } = Object(error) as { readonly chainedError?: unknown; readonly errors?: unknown };
  if (message === code && chainedError !== undefined) return textOf(chainedError, '', facts(chainedError).message);
  // The server's sentences come in quotes.
  if (message !== '') return message.trim().replace(/^'(.*)'$/s, '$1');
  // Node's error of a name with several addresses has its words in those of the tries.
  return Array.isArray(errors) && errors.length > 0 ? errors.map(MicroError.textOf).join(', ') : code || String(error);
}

function codeOf(code: string, name: string, syscall: unknown, message: string): ErrorCode {
  if (/max_payload|size exceeds maximum/.test(message)) return 'too_large';
  const known = codes[code] ?? codes[name];
  if (known !== undefined) return known;
  if (message.includes('connection disconnected')) return 'unavailable';
  if (/invalid subject/i.test(message)) return 'invalid';
  if (isRefusedCertificate(code)) return 'unauthorized';
  // Node's errors of sockets, name lookups and TLS.
  return syscall !== undefined || /^(E[A-Z]+|ERR_(SOCKET|STREAM|TLS|SSL)_.*|TLS|CERT_.*|.*_CERT.*)$/.test(code)
    ? 'unavailable'
    : 'internal';
}

/** The alerts with which a server ends TLS because of who the client is. */
function isRefusedCertificate(code: string): boolean {
  return /^ERR_SSL_.*ALERT_.*(HANDSHAKE_FAILURE|CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/.test(code);
}

function facts(error: unknown): {
  readonly code: string;
  readonly name: string;
  readonly message: string;
  readonly cause: unknown;
  readonly syscall: unknown;
} {
  const given = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  return {
    code: typeof given.code === 'string' ? given.code : '',
    name: typeof given.name === 'string' ? given.name : '',
    message: typeof given.message === 'string' ? given.message : MicroError.textOf(error),
    cause: given.cause,
    syscall: given.syscall,
  };
}
