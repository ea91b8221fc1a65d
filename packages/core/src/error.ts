/**
 * The closed set of reasons something fails.
 *
 * - `timeout` a deadline passed while waiting
 * - `canceled` the caller's `AbortSignal` was aborted
 * - `closed` the object was closed before the call
 * - `unavailable` nobody answers there now: no connection, no responders, overloaded
 * - `not_found` no such service, endpoint or plugin
 * - `conflict` it exists already, or is in use
 * - `invalid` the caller's input breaks a rule
 * - `unsupported` this backend cannot do that
 * - `too_large` more bytes than can be carried
 * - `unauthorized` credentials or permissions were refused
 * - `malformed` bytes received do not parse
 * - `internal` a defect on this side
 * - `remote` the peer's handler answered with an error; see {@link MicroError.remote}
 */
export type ErrorCode =
  | 'timeout'
  | 'canceled'
  | 'closed'
  | 'unavailable'
  | 'not_found'
  | 'conflict'
  | 'invalid'
  | 'unsupported'
  | 'too_large'
  | 'unauthorized'
  | 'malformed'
  | 'internal'
  | 'remote';

/**
 * An error as a Go Micro peer sends it: `id` names who failed, `code` is HTTP-like (0 where the peer gave none),
 * `status` the code's phrase.
 *
 * A ts-micro peer may add what programs tell errors apart by; a Go Micro peer ignores both.
 */
export interface RemoteError {
  readonly id: string;
  readonly code: number;
  readonly detail: string;
  readonly status: string;
  /** Which of the errors that its endpoint is defined with: `name_too_long`. */
  readonly name?: string;
  /** The data of an error of that name, as JSON carried it. */
  readonly data?: unknown;
}

export interface MicroErrorOptions {
  /** The error behind this one, kept as it was thrown. */
  readonly cause?: unknown;
  /** True only when the request cannot have run: it never left, or nobody was there. @default false */
  readonly retrySafe?: boolean;
  /** The peer's own words, where a peer answered with an error. */
  readonly remote?: RemoteError;
}

const brand: unique symbol = Symbol.for('@ts-micro/error');

/** The one error class: told apart by `code`, and recognised across duplicate installs by {@link MicroError.is}. */
export class MicroError extends Error {
  override readonly name: string = 'MicroError';
  readonly code: ErrorCode;
  readonly retrySafe: boolean;
  readonly remote: RemoteError | undefined;

  /** `message` says who, what and the value: `nats broker: topic "a b" contains a space`. */
  constructor(code: ErrorCode, message: string, options: MicroErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retrySafe = options.retrySafe ?? false;
    this.remote = options.remote;
    Object.defineProperty(this, brand, { value: true });
  }

  /** True for a `MicroError` of any installed copy of this package, with that code where one is given. Never throws. */
  static is(error: unknown, code?: ErrorCode): error is MicroError {
    return isMicroError(error, code);
  }

  /**
   * Returns a `MicroError` as it is, and anything else as the `cause` of a new one with `code` and `what`. Never
   * throws.
   */
  static from(error: unknown, code: ErrorCode, what: string): MicroError {
    return isMicroError(error) ? error : newError(code, `${what}: ${textOf(error)}`, error);
  }

  /**
   * Returns the words of whatever was thrown: the `message` of an error of any realm, a string as it is, else what
   * `String` makes of it. Never throws, as a thrown proxy or getter would have it.
   */
  static textOf(thrown: unknown): string {
    return textOf(thrown);
  }
}

// Outside of the class, because a bundler renames a class whose body names itself, and Node prints that name.

function isMicroError(error: unknown, code?: ErrorCode): error is MicroError {
  if (typeof error !== 'object' || error === null) return false;
  try {
    return (
      (error as { [brand]?: unknown })[brand] === true && (code === undefined || (error as MicroError).code === code)
    );
  } catch {
    // A proxy or a getter that throws.
    return false;
  }
}

function newError(code: ErrorCode, message: string, cause: unknown): MicroError {
  return new MicroError(code, message, { cause });
}

function textOf(thrown: unknown): string {
  try {
    return String((thrown as { message?: unknown } | null | undefined)?.message ?? thrown);
  } catch {
    return 'something that cannot be described';
  }
}
