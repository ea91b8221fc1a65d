import { MicroError } from '@ts-micro/core';
import { nkeys } from 'nats';

/** The content of a `.creds` file. */
export interface UserCredentials {
  readonly jwt: string;
  readonly seed: Uint8Array;
}

/**
 * Reads the content of a `.creds` file as tools and people leave it: any line ends, indented, with a byte order mark,
 * blank lines, or line
 * ends written as `\n`. Throws `invalid` that says what is missing, and quotes nothing of it.
 */
export function parseCredentials(text: string, who: string): UserCredentials {
  const invalid = (why: string) => new MicroError('invalid', `${who}: option credentials ${why}`);
  if (text.trim() === '') throw invalid('is empty, not the content of a .creds file');
  const lines = linesOf(text.includes('-----BEGIN') && !/[\r\n]/.test(text) ? text.replaceAll('\\n', '\n') : text);
  const jwt = blockOf(lines, /^-{3,}\s*BEGIN .*JWT\s*-{3,}$/);
  const seed = blockOf(lines, /^-{3,}\s*BEGIN .*SEED\s*-{3,}$/);
  if (jwt === undefined) throw invalid('has no block "-----BEGIN NATS USER JWT-----", as a .creds file has');
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(jwt)) throw invalid('has a user JWT that is not three parts with dots between');
  if (seed === undefined) throw invalid('has no block "-----BEGIN USER NKEY SEED-----", as a .creds file has');
  return { jwt, seed: checkSeed(seed, `${who}: option credentials has a seed`) };
}

/**
 * Reads an nkey seed; white space and lines that begin with `#` are ignored. Throws `invalid`, and quotes nothing of
 * it.
 */
export function parseSeed(text: string, who: string): Uint8Array {
  const seed = linesOf(text)
    .filter((line) => !line.startsWith('#'))
    .join('');
  return checkSeed(seed, `${who}: option nkeySeed is a text`);
}

function checkSeed(seed: string, what: string): Uint8Array {
  const bytes = new TextEncoder().encode(seed);
  try {
    nkeys.fromSeed(bytes);
  } catch {
    // Without the client's error as cause: it may show what it was given.
    throw new MicroError('invalid', `${what} that is not the seed of an nkey (SU...), or was cut or altered`);
  }
  return bytes;
}

function linesOf(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Returns what stands between a line that begins a block and the next line of dashes. */
function blockOf(lines: readonly string[], begin: RegExp): string | undefined {
  const start = lines.findIndex((line) => begin.test(line));
  if (start < 0) return undefined;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith('---'));
  return rest.slice(0, end < 0 ? rest.length : end).join('') || undefined;
}
