import type { PluginFlag, PluginOptions } from '@ts-micro/core';
import { PluginSettings } from './plugin-settings.ts';
import type { ServerAccess } from './server-access.ts';

/** A factory as `registerPlugin` takes it. */
export interface AccessPlugin<Made> {
  (options: PluginOptions): Made;
  readonly flags: readonly PluginFlag[];
}

/**
 * Lets operators set how a factory's servers are reached, by `<prefix>_user` and so on, and options of it that are
 * texts, each with a few words about it: `keyHeader` is `<prefix>_key_header`.
 */
export function accessPlugin<Options extends ServerAccess, Made>(
  prefix: string,
  factory: (options?: Options) => Made,
  texts: { readonly [Name in Exclude<keyof Options, keyof ServerAccess>]?: string },
): AccessPlugin<Made> {
  const own = Object.entries<string>(texts as Record<string, string>).map(([option, about]) => ({
    option,
    flag: { name: `${prefix}_${option.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`, about },
  }));
  const made = (options: PluginOptions): Made => {
    const { settings = {}, logger } = options;
    const given = own.map(({ option, flag }) => [option, settings[flag.name]]);
    const all: ServerAccess = { ...accessFrom(prefix, options), ...Object.fromEntries(given), logger };
    return factory(all as Options);
  };
  return Object.assign(made, { flags: [...accessFlags(prefix), ...own.map(({ flag }) => flag)] });
}

function accessFlags(prefix: string): readonly PluginFlag[] {
  return [
    { name: `${prefix}_user`, about: 'the user' },
    { name: `${prefix}_password`, about: "the user's password", fromFile: true },
    { name: `${prefix}_tls`, about: 'true: TLS with the certificates of the system' },
    { name: `${prefix}_tls_ca`, about: 'the authorities to trust: the name of a PEM file, or its text' },
    { name: `${prefix}_tls_cert`, about: "the client's certificate: the name of a PEM file, or its text" },
    { name: `${prefix}_tls_key`, about: "the client's key: the name of a PEM file, or its text" },
  ];
}

function accessFrom(prefix: string, { addresses, settings }: PluginOptions): ServerAccess {
  const read = new PluginSettings(prefix, settings);
  const tls = {
    ca: read.text(`${prefix}_tls_ca`),
    cert: read.text(`${prefix}_tls_cert`),
    key: read.text(`${prefix}_tls_key`),
  };
  const hasTls = Object.values(tls).some((value) => value !== undefined);
  return {
    servers: addresses,
    user: read.text(`${prefix}_user`),
    password: read.text(`${prefix}_password`),
    tls: hasTls ? tls : read.boolean(`${prefix}_tls`),
  };
}
