import { MicroError } from '@ts-micro/core';
import { nearest } from '@ts-micro/kit';
import { fileText } from './file-text.ts';
import type { KnownFlag, KnownFlags } from './known-flags.ts';

/** May be given several times; of every other flag the last one counts. */
const repeatable = new Set(['server_metadata']);

export type Environment = Readonly<Record<string, string | undefined>>;

/** The value of a flag, and what gave it: `--client_retries` or `MICRO_CLIENT_RETRIES`. */
export interface GivenFlag {
  readonly source: string;
  readonly text: string;
}

export interface ReadFlags {
  /** By the flag's name. No text is empty. */
  readonly given: ReadonlyMap<string, GivenFlag>;
  /** The arguments that are not ours, in order. */
  readonly rest: readonly string[];
}

/**
 * Finds what is given for each known flag: on the command line (`--name=value`, `--name value`, dashes for
 * underscores), else in the environment (`MICRO_NAME`); from the file that `name_file` names where the flag allows it.
 * An empty value is none. Arguments after `--` are not ours. Throws `invalid`, and shows no value.
 */
export function readFlags({ flags, prefixes }: KnownFlags, argv: readonly string[], env: Environment): ReadFlags {
  const names = flags.flatMap(({ name, fromFile }) => (fromFile ? [name, `${name}_file`] : [name]));
  const { texts, rest } = readArguments(names, prefixes, argv);
  const given = new Map<string, GivenFlag>();
  for (const flag of flags) {
    const found =
      findValue(
        flag,
        (name) => textOf(name, texts.get(name)),
        (name) => `--${name}`,
      ) ?? findValue(flag, (name) => env[variableOf(name)]?.trim(), variableOf);
    if (found !== undefined) given.set(flag.name, found);
  }
  return { given, rest };
}

function variableOf(name: string): string {
  return `MICRO_${name.toUpperCase()}`;
}

function textOf(name: string, texts: readonly string[] = []): string | undefined {
  const filled = texts.filter((text) => text !== '');
  return repeatable.has(name) && filled.length > 0 ? filled.join(',') : filled.at(-1);
}

function findValue(
  { name, fromFile }: KnownFlag,
  find: (name: string) => string | undefined,
  sourceOf: (name: string) => string,
): GivenFlag | undefined {
  const source = sourceOf(name);
  const text = find(name);
  const path = fromFile ? find(`${name}_file`) : undefined;
  if (!path) return text ? { source, text } : undefined;
  const fileSource = sourceOf(`${name}_file`);
  if (text) throw new MicroError('invalid', `flags: ${source} and ${fileSource} exclude each other`);
  return { source: fileSource, text: readFile(fileSource, path) };
}

function readFile(source: string, path: string): string {
  let text: string;
  try {
    text = fileText(path);
  } catch (cause) {
    throw new MicroError('invalid', `flags: ${source}: the file cannot be read: ${MicroError.textOf(cause)}`, {
      cause,
    });
  }
  if (text === '') throw new MicroError('invalid', `flags: ${source}: the file "${path}" is empty`);
  return text;
}

function readArguments(
  names: readonly string[],
  prefixes: readonly string[],
  argv: readonly string[],
): { readonly texts: ReadonlyMap<string, readonly string[]>; readonly rest: readonly string[] } {
  const texts = new Map<string, string[]>();
  const rest: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] as string;
    if (argument === '--') {
      rest.push(...argv.slice(index));
      break;
    }
    const [, written = '', assigned] = /^--([^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
    const name = written.replaceAll('-', '_');
    if (!names.includes(name)) {
      if (prefixes.some((prefix) => name.startsWith(prefix))) throw unknownFlag(written, names);
      rest.push(argument);
      continue;
    }
    const next = argv[index + 1];
    if (assigned === undefined && (next === undefined || next.startsWith('--'))) {
      throw new MicroError('invalid', `flags: --${name} has no value`);
    }
    const text = (assigned ?? (next as string)).trim();
    if (assigned === undefined) index++;
    texts.set(name, [...(texts.get(name) ?? []), text]);
  }
  return { texts, rest };
}

function unknownFlag(written: string, names: readonly string[]): MicroError {
  // The rest may be a value, and a value a credential.
  const [shown = ''] = /^[\w-]*/.exec(written) ?? [];
  const meant = nearest(shown.replaceAll('-', '_'), names);
  return new MicroError('invalid', `flags: --${shown} is not known${meant ? `; did you mean --${meant}?` : ''}`);
}
