import { readFileSync, statSync } from 'node:fs';
import { MicroError } from '@ts-micro/core';
import client from '#nats-client';
import { decodeText } from './decode-text.ts';

const mostBytes = 1024 * 1024;

/** The content of a `.creds` file. */
export interface UserCredentials {
  readonly jwt: string;
  readonly seed: Uint8Array;
}

/**
 * Reads a `.creds` file, in UTF-8, or in UTF-16 with a byte order mark. Throws `invalid` naming the file and the
 * reason, and quotes nothing of it. It must be a regular file of at most 1 MiB: reading another kind a second time may
 * never end.
 */
export function readCredentials(file: string, who: string): UserCredentials {
  // The content given by mistake instead of the name is not shown.
  const name = /-----BEGIN|[\r\n]|S[A-Z2-7]{50,}/.test(file) ? 'is no name of a file and' : JSON.stringify(file);
  const what = `${who}: option credentialsFile ${name}`;
  let text: string;
  try {
    const found = statSync(file);
    if (!found.isFile()) throw new Error('it is not a regular file');
    if (found.size > mostBytes) throw new Error(`it is a file of ${found.size} bytes`);
    text = decodeText(readFileSync(file));
  } catch (error) {
    // The words of the system have the name of the file.
    const reason = (error as NodeJS.ErrnoException).code ?? MicroError.textOf(error);
    throw new MicroError('invalid', `${what} cannot be read: ${reason}`);
  }
  return parseCredentials(text, what);
}

/**
 * Reads the content of a `.creds` file as tools and people leave it: any line ends, indented, with a byte order mark,
 * blank lines, line ends written as `\n`, or quotes around it all. Throws `invalid` that begins with `what`, says what
 * is missing, and quotes nothing of it.
 */
export function parseCredentials(text: string, what: string): UserCredentials {
  const invalid = (why: string) => new MicroError('invalid', `${what} ${why}`);
  if (text.includes('\0')) throw invalid('is UTF-16 that was read as another encoding: save its file as UTF-8');
  if (text.trim() === '') throw invalid('is empty, not the content of a .creds file');
  // Files of environment variables keep the quotes that a shell would take away.
  const bare = /^\s*(["'])(.*)\1\s*$/s.exec(text)?.[2] ?? text;
  const isOneLine = bare.includes('-----BEGIN') && !/[\r\n]/.test(bare);
  const lines = linesOf(isOneLine ? bare.replaceAll('\\r', '').replaceAll('\\n', '\n') : bare);
  const jwt = blockOf(lines, /^-{3,}\s*BEGIN .*JWT\s*-{3,}$/);
  const seed = blockOf(lines, /^-{3,}\s*BEGIN .*SEED\s*-{3,}$/);
  if (jwt === undefined) {
    throw invalid('has no block "-----BEGIN NATS USER JWT-----", as the content of a .creds file has');
  }
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(jwt)) throw invalid('has a user JWT that is not three parts with dots between');
  if (seed === undefined) throw invalid('has no block "-----BEGIN USER NKEY SEED-----", as a .creds file has');
  const bytes = checkSeed(seed, `${what} has a seed`);
  const owner = ownerOf(jwt);
  if (owner === undefined) throw invalid('has a user JWT that cannot be read: it was cut or altered');
  // The server would say no more than that it refuses them.
  if (owner !== client.nkeys.fromSeed(bytes).getPublicKey())
    throw invalid('has a seed that does not belong to its user JWT');
  return { jwt, seed: bytes };
}

/** Returns the public key that a JWT is about. */
function ownerOf(jwt: string): string | undefined {
  try {
    const { sub } = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads an nkey seed as tools and people leave it: white space, quotes, comments, dashes around it and the public key
 * below it are ignored. Throws `invalid`, and quotes nothing of it.
 */
export function parseSeed(text: string, who: string): Uint8Array {
  if (text.includes('\0')) {
    const why = 'is UTF-16 that was read as another encoding: save its file as UTF-8';
    throw new MicroError('invalid', `${who}: option nkeySeed ${why}`);
  }
  const lines = linesOf(text).filter((line) => !line.startsWith('#'));
  const whole = new Set(lines.join('\n').match(/(?<![A-Za-z0-9])S[A-Z2-7]{57}(?![A-Za-z0-9])/g));
  const [seed = lines.join('')] = whole.size === 1 ? whole : [];
  return checkSeed(seed, `${who}: option nkeySeed is a text`);
}

function checkSeed(seed: string, what: string): Uint8Array {
  const bytes = new TextEncoder().encode(seed);
  try {
    client.nkeys.fromSeed(bytes);
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
