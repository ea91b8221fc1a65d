import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { MicroError } from '@ts-micro/core';

/**
 * Returns the JSON text that an argument stands for: itself, standard input (`-`), or a file (`@name`); `{}` without
 * one. Throws `invalid` where it is not JSON, `not_found` for a file that is not there.
 */
export async function bodyText(argument: string | undefined, input: NodeJS.ReadableStream): Promise<string> {
  if (argument === undefined) return '{}';
  if (argument === '-') return checkedJson(await textOf(input), 'standard input');
  if (!argument.startsWith('@')) return checkedJson(argument, 'the body');
  const name = argument.slice(1);
  try {
    return checkedJson(await readFile(name, 'utf8'), `the file "${name}"`);
  } catch (error) {
    if (MicroError.is(error)) throw error;
    throw new MicroError('not_found', `the file "${name}" cannot be read: ${MicroError.textOf(error)}`);
  }
}

/** Returns `text` where it is JSON. Throws `invalid` saying where it stops to be. */
export function checkedJson(text: string, what: string): string {
  try {
    JSON.parse(text);
    return text.trim();
  } catch (error) {
    const reason = text.trim() === '' ? 'it is empty' : MicroError.textOf(error).replace(/\s+/g, ' ');
    throw new MicroError('invalid', `${what} is not JSON (${reason}); write it like '{"name":"John"}'`);
  }
}
