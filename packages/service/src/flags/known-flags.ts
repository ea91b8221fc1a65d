import { getPlugin, listPlugins, MicroError, type PluginFlag, type PluginKind } from '@ts-micro/core';
import { settingFlags } from './flag-settings.ts';

/** A flag that `fromFlags` understands. */
export interface KnownFlag {
  /** `nats_user`: the flag is `--nats_user`, the variable of the environment `MICRO_NATS_USER`. */
  readonly name: string;
  /** One line about it. */
  readonly about: string;
  /** Whether `--<name>_file` and `MICRO_<NAME>_FILE` may name a file that holds the value. */
  readonly fromFile: boolean;
}

/** Every flag there is while these plugins are imported, and what tells a mistyped one from somebody else's. */
export interface KnownFlags {
  readonly flags: readonly KnownFlag[];
  /** A flag that begins so and is not known is a mistake. */
  readonly prefixes: readonly string[];
}

export const kinds: readonly PluginKind[] = ['transport', 'broker', 'registry'];

const ownPrefixes: readonly string[] = [...kinds, 'selector', 'server_', 'register_', 'client_'];

/** Returns the beginning of a plugin's flags: `my_bus_` for `my-bus`. */
export function flagPrefix(plugin: string): string {
  return `${plugin.toLowerCase().replaceAll(/[^a-z0-9]/g, '_')}_`;
}

/**
 * Returns the flags of the runtime and of every plugin that is imported. Throws `conflict` where a plugin takes one of
 * the runtime's.
 */
export function knownFlags(): KnownFlags {
  const known = new Map(ownFlags().map((flag) => [flag.name, flag]));
  const own = new Set(known.keys());
  const plugins = [...new Set(kinds.flatMap((kind) => listPlugins(kind)))].sort();
  for (const plugin of plugins) {
    const name = `${flagPrefix(plugin)}address`;
    if (!own.has(name))
      known.set(name, { name, about: `the servers of every plugin called ${plugin}`, fromFile: false });
    for (const flag of pluginFlags(plugin)) {
      if (own.has(flag.name)) {
        throw new MicroError('conflict', `flags: --${flag.name} of the plugin "${plugin}" is the runtime's own`);
      }
      known.set(flag.name, { name: flag.name, about: flag.about, fromFile: flag.fromFile ?? false });
    }
  }
  return { flags: [...known.values()], prefixes: [...ownPrefixes, ...plugins.map(flagPrefix)] };
}

/**
 * Returns the flags that `fromFlags` understands, for a `--help`: the runtime's first, then those of every plugin that
 * is imported.
 */
export function listFlags(): readonly KnownFlag[] {
  return knownFlags().flags;
}

/** Returns what the plugins of one name take, whatever their kind. */
export function pluginFlags(plugin: string): readonly PluginFlag[] {
  const makers = kinds.filter((kind) => listPlugins(kind).includes(plugin)).map((kind) => getPlugin(kind, plugin));
  return [...new Map(makers.flatMap(({ flags = [] }) => flags.map((flag) => [flag.name, flag] as const))).values()];
}

function ownFlags(): readonly KnownFlag[] {
  const ofKinds = kinds.flatMap((kind) => [
    { name: kind, about: `the ${kind}, by the name of its plugin`, fromFile: false },
    { name: `${kind}_address`, about: `the servers of the ${kind}: a,b,c`, fromFile: false },
  ]);
  const ofSettings = Object.entries(settingFlags).map(([name, { about }]) => ({ name, about, fromFile: false }));
  return [...ofKinds, ...ofSettings];
}
