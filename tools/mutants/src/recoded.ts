import { MicroError } from '@ts-micro/core';

/** The same error with another code. */
export function recoded(error: MicroError, code: MicroError['code']): MicroError {
  return new MicroError(code, error.message, { cause: error.cause, retrySafe: error.retrySafe });
}
