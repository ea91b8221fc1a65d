import type { Broker } from './broker.ts';
import { MicroError } from './error.ts';
import type { Logger } from './logger.ts';
import type { Registry } from './registry.ts';
import type { Transport } from './transport.ts';

/** The kinds of plugins, with their interfaces. */
export interface PluginKinds {
  readonly transport: Transport;
  readonly broker: Broker;
  readonly registry: Registry;
}

export type PluginKind = keyof PluginKinds;

/** A setting that an operator gives a plugin: `bus_user` is the flag `--bus_user` and the variable `MICRO_BUS_USER`. */
export interface PluginFlag {
  /**
   * Lower-case words joined by `_`. The first is the plugin's name, with `_` for every character that is no letter or
   * digit.
   */
  readonly name: string;
  /** One line for a list of flags. */
  readonly about: string;
  /** Whether `<name>_file` may name a file that holds the value, as containers get their secrets. @default false */
  readonly fromFile?: boolean | undefined;
}

/** The options with which every plugin can be made by name, as flags do it; all others have defaults. */
export interface PluginOptions {
  /** Servers in the backend's notation. Empty: its default. */
  readonly addresses?: readonly string[] | undefined;
  /** The operator's values for the factory's own {@link PluginFlag}s, by the flag's name. No text is empty. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  readonly logger?: Logger | undefined;
}

/** Makes a plugin. Throws `invalid` naming the setting that is wrong, and never a credential. */
export interface PluginFactory<K extends PluginKind> {
  (options: PluginOptions): PluginKinds[K];
  /** The settings that it takes beside `addresses`. Plugins of one name may share them. @default none */
  readonly flags?: readonly PluginFlag[];
}

type Catalogue = { readonly [K in PluginKind]: Map<string, PluginFactory<K>> };

// On globalThis, because a plugin and the service may have been installed with a copy of this package each.
const key: unique symbol = Symbol.for('@ts-micro/catalogue');
const home = globalThis as { [key]?: Catalogue };
home[key] ??= { transport: new Map(), broker: new Map(), registry: new Map() };
const catalogue: Catalogue = home[key];

/**
 * Makes a plugin available by name; a package's `/register` entry calls it.
 *
 * A factory with settings of its own carries their list:
 * `Object.assign((options) => ..., { flags: [{ name: 'bus_user', about: '...' }] })`.
 *
 * Throws `conflict` where the name is another plugin's already, and `invalid` for a flag that does not begin with the
 * plugin's name.
 */
export function registerPlugin<K extends PluginKind>(kind: K, name: string, factory: PluginFactory<K>): void {
  const plugins = catalogueOf(kind);
  const prefix = `${name.toLowerCase().replaceAll(/[^a-z0-9]/g, '_')}_`;
  const isOwn = (name: string) => name.startsWith(prefix) && /^[a-z0-9_]+[a-z0-9]$/.test(name);
  const stranger = factory.flags?.find((flag) => !isOwn(flag.name));
  if (stranger) {
    const rule = `lower-case words joined by _ that begin with ${prefix}`;
    throw new MicroError('invalid', `plugin catalogue: flag "${stranger.name}" of ${kind} "${name}" is not ${rule}`);
  }
  const present = plugins.get(name);
  const fault = `${kind} "${name}" is registered already, by another plugin or another copy of it`;
  if (present && present !== factory) throw new MicroError('conflict', `plugin catalogue: ${fault}`);
  plugins.set(name, factory);
}

/** The factory behind a name. Throws `not_found` listing the names at hand. */
export function getPlugin<K extends PluginKind>(kind: K, name: string): PluginFactory<K> {
  const factory = catalogueOf(kind).get(name);
  if (factory) return factory;
  const names = listPlugins(kind).join(', ');
  const known = names ? `known: ${names}` : "none is known; import a plugin's /register entry first";
  throw new MicroError('not_found', `plugin catalogue: no ${kind} is called "${name}" (${known})`);
}

/** The names at hand, sorted. */
export function listPlugins(kind: PluginKind): readonly string[] {
  return [...catalogueOf(kind).keys()].sort();
}

function catalogueOf<K extends PluginKind>(kind: K): Map<string, PluginFactory<K>> {
  if (Object.hasOwn(catalogue, kind)) return catalogue[kind];
  const kinds = Object.keys(catalogue).join(', ');
  throw new MicroError('invalid', `plugin catalogue: "${String(kind)}" is not one of ${kinds}`);
}
