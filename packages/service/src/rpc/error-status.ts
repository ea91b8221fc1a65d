import type { ErrorCode } from '@ts-micro/core';

// The one table between our codes and the HTTP-like numbers Go Micro puts on the wire; on the way out the last row of
// a code wins, on the way back the first row of a number. A timeout goes out as 504, because Go Micro's clients run a
// request again for a 408.
const table: readonly (readonly [ErrorCode, number])[] = [
  ['invalid', 400],
  ['malformed', 400],
  ['unauthorized', 401],
  ['not_found', 404],
  ['timeout', 408],
  ['conflict', 409],
  ['too_large', 413],
  ['canceled', 499],
  ['internal', 500],
  ['remote', 500],
  ['unsupported', 501],
  ['unavailable', 503],
  ['closed', 503],
  ['timeout', 504],
];

const statusByCode = new Map<ErrorCode, number>(table);
const codeByStatus = new Map<number, ErrorCode>([...table].reverse().map(([code, status]) => [status, code]));

/** The HTTP-like number that stands for a code in Go Micro's errors: `not_found` is 404. */
export function statusOfCode(code: ErrorCode): number {
  return statusByCode.get(code) ?? 500;
}

/**
 * The code that an HTTP-like number stands for: 404 is `not_found`; 403 is `unauthorized`; `undefined` where none
 * does.
 */
export function codeOfStatus(status: number): ErrorCode | undefined {
  return status === 403 ? 'unauthorized' : codeByStatus.get(status);
}
