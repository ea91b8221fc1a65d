import { type ErrorCode, MicroError } from '@ts-micro/core';

/** What the program ends with, so that a script can tell what happened. */
export const exitCode = {
  done: 0,
  /** A handler answered with an error, or something that was asked about is not well. */
  failed: 1,
  /** The command line, or what it hands over, breaks a rule. */
  usage: 2,
  /** No such service, version, node, endpoint or file. */
  notFound: 3,
  /** No server, or no node that can be reached, or credentials that were refused. */
  unavailable: 4,
  timeout: 5,
  /** Ended by Ctrl-C, as shells have it. */
  interrupted: 130,
} as const;

const byCode: Readonly<Partial<Record<ErrorCode, number>>> = {
  invalid: exitCode.usage,
  unsupported: exitCode.usage,
  too_large: exitCode.usage,
  not_found: exitCode.notFound,
  unavailable: exitCode.unavailable,
  unauthorized: exitCode.unavailable,
  closed: exitCode.unavailable,
  timeout: exitCode.timeout,
  canceled: exitCode.interrupted,
};

/** Returns the exit code for whatever was thrown. */
export function exitCodeOf(thrown: unknown): number {
  return MicroError.is(thrown) ? (byCode[thrown.code] ?? exitCode.failed) : exitCode.failed;
}
