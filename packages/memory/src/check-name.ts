import { MicroError } from '@ts-micro/core';

/** Throws `invalid` where `name` is empty or holds white space or a control character; `what` says what it names. */
export function checkName(name: string, what: string): void {
  if (typeof name !== 'string' || name === '') throw new MicroError('invalid', `${what} is empty`);
  if (/[\s\p{Cc}]/u.test(name))
    throw new MicroError('invalid', `${what} ${JSON.stringify(name)} contains white space or a control character`);
}
