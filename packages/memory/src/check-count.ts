import { MicroError } from '@ts-micro/core';

/** Throws `invalid` where `value` is not a whole number of at least `least`; `what` names the option. */
export function checkCount(value: number, what: string, least = 1): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new MicroError('invalid', `${what} is ${String(value)}, not a whole number of at least ${least}`);
}
