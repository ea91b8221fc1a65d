import {
  type AbortOptions,
  type Broker,
  type Closable,
  getPlugin,
  type Logger,
  listPlugins,
  MicroError,
  type PluginKind,
  type PluginKinds,
  type Registry,
  silentLogger,
  type Transport,
} from '@ts-micro/core';
import { Lifetime, nearest, OptionChecks, safeLogger } from '@ts-micro/kit';
import { type FlagSettings, settingFlags } from './flag-settings.ts';
import { flagPrefix, kinds, knownFlags, pluginFlags } from './known-flags.ts';
import { type Environment, type GivenFlag, readFlags } from './read-flags.ts';
import { serverTexts } from './server-texts.ts';

export interface FromFlagsOptions {
  /** Given to the plugins, and to whoever is made from the result. @default silent */
  readonly logger?: Logger | undefined;
}

/**
 * The plugins and settings that an operator chose; closing it closes the plugins.
 *
 * Made to be spread: `createService({ name: 'greeter', ...plugins })`, `createClient(plugins)`. A setting is there only
 * where it was given, so what stands before the spread is its default.
 */
export interface FlaggedPlugins extends FlagSettings, Closable {
  readonly transport: Transport;
  readonly broker: Broker;
  readonly registry: Registry;
  readonly logger: Logger;
  /** The kinds that nobody chose, and that are therefore `memory`: this process alone. */
  readonly fallbacks: readonly PluginKind[];
  /** The arguments that are not ours, as they were. */
  readonly rest: readonly string[];
}

interface Choice {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Makes the plugins that flags and environment choose, by name, among those imported through their `/register` entry.
 * (Go Micro: `cmd`.)
 *
 * A flag wins over the environment, and that over the default; `--x=v` and `--x v` are the same, as are dashes and
 * underscores. For each flag `--x_y` there is `MICRO_X_Y`. A plugin that is not chosen is `memory` where that is
 * imported. `--nats_address` is the default address of every plugin called `nats`, and likewise for every other name; a
 * plugin may register further settings, such as `--nats_user`. `listFlags()` returns all of them.
 *
 * Errors: `invalid` naming the flag, also for a flag that is not known but looks like one of ours; `not_found` for a
 * plugin that is not imported, listing those that are; whatever a plugin says to its address and settings. No error
 * shows a credential.
 */
export function fromFlags(argv: readonly string[], env: Environment, options: FromFlagsOptions = {}): FlaggedPlugins {
  checkSources(argv, env, options);
  const { logger = silentLogger } = options;
  const { given, rest } = readFlags(knownFlags(), argv, env);
  const settings: FlagSettings = {};
  for (const [name, { read }] of Object.entries(settingFlags)) {
    const flag = given.get(name);
    if (flag !== undefined) Object.assign(settings, read(flag));
  }
  const fallbacks = kinds.filter((kind) => !given.has(kind));
  const choices = new Map(kinds.map((kind) => [kind, choose(kind, given)]));
  for (const kind of fallbacks) safeLogger(logger).warn('plugin not chosen, using memory', { kind });
  const made: Closable[] = [];
  const make = <K extends PluginKind>(kind: K): PluginKinds[K] => {
    const { name, addresses, settings } = choices.get(kind) as Choice;
    const plugin = getPlugin(kind, name)({ addresses, settings, logger });
    made.push(plugin);
    return plugin;
  };
  try {
    return owned(made, {
      ...settings,
      transport: make('transport'),
      broker: make('broker'),
      registry: make('registry'),
      logger,
      fallbacks,
      rest,
    });
  } catch (error) {
    for (const plugin of made) void plugin.close();
    throw error;
  }
}

/** Throws `invalid` for what neither arguments nor an environment can be; never shows what may be a credential. */
function checkSources(argv: unknown, env: unknown, options: unknown): void {
  if (!Array.isArray(argv) || argv.some((argument) => typeof argument !== 'string'))
    throw new MicroError('invalid', 'flags: the arguments are no list of texts');
  if (typeof env !== 'object' || env === null)
    throw new MicroError('invalid', 'flags: the environment is no object of names and texts');
  for (const [name, text] of Object.entries(env))
    if (name.startsWith('MICRO_') && text !== undefined && typeof text !== 'string')
      throw new MicroError('invalid', `flags: ${name} is not a text`);
  new OptionChecks('flags').named(options, { logger: ['log'] });
}

function choose(kind: PluginKind, given: ReadonlyMap<string, GivenFlag>): Choice {
  const flag = given.get(kind);
  const names = listPlugins(kind);
  if (flag === undefined && !names.includes('memory')) {
    const source = `--${kind} or MICRO_${kind.toUpperCase()}`;
    throw new MicroError('invalid', `flags: no ${kind} is chosen; give ${source} (${atHand(names)})`);
  }
  if (flag !== undefined && !names.includes(flag.text)) throw unknownPlugin(kind, flag, names);
  const name = flag?.text ?? 'memory';
  const list = given.get(`${kind}_address`) ?? given.get(`${flagPrefix(name)}address`);
  const settings = pluginFlags(name).flatMap((setting) => {
    const found = given.get(setting.name);
    return found === undefined ? [] : [[setting.name, found.text] as const];
  });
  return { name, addresses: serverTexts(list?.text ?? ''), settings: Object.fromEntries(settings) };
}

/** Shows the name only where it can be one: an address with a password may stand there as well. */
function unknownPlugin(kind: PluginKind, { source, text }: GivenFlag, names: readonly string[]): MicroError {
  const meant = nearest(text, names, 2);
  const shown = /^[\w-]{1,32}$/.test(text) ? `${source}=${text}: it names` : `${source} names`;
  const known = meant === undefined ? shown : `${source}=${text}: did you mean ${meant}? It names`;
  return new MicroError('not_found', `flags: ${known} no ${kind} at hand (${atHand(names)})`);
}

function atHand(names: readonly string[]): string {
  return names.length > 0 ? `known: ${names.join(', ')}` : "none is known; import a plugin's /register entry first";
}

/** Adds a life that closes `plugins`. Not enumerable, so that a spread takes the plugins and settings alone. */
function owned(plugins: readonly Closable[], values: Omit<FlaggedPlugins, keyof Closable>): FlaggedPlugins {
  const lifetime = new Lifetime('flagged plugins', async (options) => {
    await Promise.all(plugins.map((plugin) => plugin.close(options)));
    const causes = await Promise.all(plugins.map((plugin) => plugin.closed));
    const cause = causes.find((other) => other !== undefined);
    if (cause) throw cause;
  });
  const close = (options?: AbortOptions) => lifetime.close(options);
  return Object.defineProperties({ ...values } as FlaggedPlugins, {
    closed: { get: () => lifetime.closed },
    close: { value: close },
    [Symbol.asyncDispose]: { value: () => close() },
  });
}
