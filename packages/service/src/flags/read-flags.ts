import { MicroError } from '@ts-micro/core';
import type { GivenFlag } from './flag-settings.ts';
import { nearest } from './nearest.ts';

/** Flags that begin so are ours: one we do not know is a mistake and not somebody else's. */
const ourPrefixes = ['registry', 'transport', 'broker', 'selector', 'server_', 'register_', 'client_'];

/** These may be given several times; of the others the last counts. */
const repeatable = new Set(['server_metadata']);

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ReadFlags {
  readonly given: ReadonlyMap<string, GivenFlag>;
  /** The arguments that are not ours, in order. */
  readonly rest: readonly string[];
}

/**
 * Finds what is given for each of `names`: on the command line (`--name=value`, `--name value`, dashes for underscores), else in the
 * environment (`MICRO_NAME`). An empty value is none. Arguments after `--` are not ours. Throws `invalid`.
 */
export function readFlags(names: readonly string[], argv: readonly string[], env: Environment): ReadFlags {
  const { texts, rest } = readArguments(names, argv);
  const given = new Map<string, GivenFlag>();
  for (const name of names) {
    const flagged = texts.get(name)?.filter((text) => text !== '');
    if (flagged !== undefined && flagged.length > 0) {
      const text = repeatable.has(name) ? flagged.join(',') : (flagged.at(-1) as string);
      given.set(name, { source: `--${name}`, text, parts: partsOf(text) });
      continue;
    }
    const variable = `MICRO_${name.toUpperCase()}`;
    const text = env[variable]?.trim();
    if (text) given.set(name, { source: variable, text, parts: partsOf(text) });
  }
  return { given, rest };
}

/** The parts of a comma list, trimmed, empty ones left out. */
export function partsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function readArguments(
  names: readonly string[],
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
      if (ourPrefixes.some((prefix) => name.startsWith(prefix))) throw unknownFlag(written, name, names);
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

function unknownFlag(written: string, name: string, names: readonly string[]): MicroError {
  return new MicroError('invalid', `flags: --${written} is not known; did you mean --${nearest(name, names)}?`);
}
