import { randomFillSync } from 'node:crypto';

const letters = Buffer.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');
const tokenLetters = 22;

// Letters drawn ahead, as asking the system for each token costs more than all the rest of it: few at first, as a
// process that has just begun waits for its first one or two.
const pool: Buffer = Buffer.allocUnsafeSlow(4096);
let drawn = 16;
let end = 0;
let next = 0;

/**
 * Returns a fresh text that nobody can guess: 22 letters and digits, 131 bits from the cryptographic source of
 * `node:crypto`.
 *
 * It is safe as a token of a subject, a topic or a queue name, and tells nothing about the tokens before and after it.
 */
export function randomToken(): string {
  while (next + tokenLetters > end) refill();
  next += tokenLetters;
  return pool.toString('latin1', next - tokenLetters, next);
}

function refill(): void {
  drawn = Math.min(drawn * 4, pool.length);
  randomFillSync(pool, 0, drawn);
  next = 0;
  end = 0;
  for (let at = 0; at < drawn; at++) {
    // Six bits choose a letter; two of their values are skipped, so that every letter is equally likely.
    const letter = letters[(pool[at] as number) & 63];
    if (letter !== undefined) pool[end++] = letter;
  }
}
