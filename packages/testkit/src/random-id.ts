import { randomBytes } from 'node:crypto';

/** Twelve letters and digits that nobody else has. */
export function randomId(): string {
  return randomBytes(6).toString('hex');
}
