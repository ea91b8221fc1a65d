import { MicroError } from '@ts-micro/core';

/** Throws `invalid` where no service can have that name; `who` begins the message. */
export function checkServiceName(name: string, who: string): void {
  if (typeof name === 'string' && name !== '') return;
  throw new MicroError('invalid', `${who}: service name ${JSON.stringify(name)} is empty or not a text`);
}

/** Throws `invalid` where a lease is given that is not a positive, finite number of milliseconds. */
export function checkTtl(ttlMs: number | undefined, who: string): void {
  if (ttlMs === undefined || (Number.isFinite(ttlMs) && ttlMs > 0)) return;
  throw new MicroError('invalid', `${who}: ttlMs is ${String(ttlMs)}, not a positive number`);
}
