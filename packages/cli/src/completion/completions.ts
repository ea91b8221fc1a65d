import type { ServiceRecord } from '@ts-micro/core';
import { listFlags } from '@ts-micro/service';
import type { Command } from 'commander';

/** A word that shells could misread is not offered. */
const plainWord = /^[\w.:@/+=-]+$/;

/**
 * Returns what may stand for the last of `words`, which are those behind `ts-micro`: commands, options, and names from
 * the registry. Where that cannot be asked, nothing is offered.
 */
export async function completions(
  program: Command,
  words: readonly string[],
  listServices: () => Promise<readonly ServiceRecord[]>,
): Promise<readonly string[]> {
  const last = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const matching = (names: readonly string[]) =>
    [...new Set(names)].filter((name) => name.startsWith(last) && plainWord.test(name)).sort();
  const named = before.filter((word) => !word.startsWith('-'));
  const command = program.commands.find((each) => each.name() === named[0]);
  if (last.startsWith('-')) return matching(optionsOf(program, command));
  if (command === undefined) return named.length > 0 ? [] : matching(commandNames(program));
  const argument = command.registeredArguments[named.length - 1]?.name();
  if (argument === 'shell') return matching(['bash', 'zsh', 'fish']);
  if (argument === 'kind') return matching(['service', 'plugin']);
  if (argument !== 'service' && argument !== 'endpoint' && argument !== 'topic') return [];
  const records = await listServices().catch(() => []);
  if (argument === 'service') return matching(records.map(({ name }) => name));
  const endpoints = records
    .filter(({ name }) => argument === 'topic' || name === named[1])
    .flatMap((each) => each.endpoints);
  if (argument === 'topic') return matching(endpoints.flatMap(({ metadata }) => metadata.topic ?? []));
  return matching(endpoints.filter(({ metadata }) => metadata.subscriber !== 'true').map(({ name }) => name));
}

function commandNames(program: Command): readonly string[] {
  const hidden = new Set(['complete']);
  return [...program.commands.map((command) => command.name()).filter((name) => !hidden.has(name)), 'help'];
}

function optionsOf(program: Command, command: Command | undefined): readonly string[] {
  const own = [...program.options, ...(command?.options ?? [])].flatMap(({ long }) => long ?? []);
  return [...own, '--help', ...listFlags().map(({ name }) => `--${name}`)];
}
