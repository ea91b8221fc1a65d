import { readFileSync, statSync } from 'node:fs';
import { MicroError, type PluginFlag, type PluginOptions } from '@ts-micro/core';
import { parseGoDuration } from '@ts-micro/kit';
import { decodeText } from '../connection/decode-text.ts';
import type { NatsTlsOptions } from '../connection/nats-options.ts';
import type { NatsPluginOptions } from '../connection/shared-connection.ts';

const flags: readonly PluginFlag[] = [
  { name: 'name', about: "the connection's name in the server's monitoring" },
  { name: 'user', about: 'the user' },
  { name: 'password', about: "the user's password", fromFile: true },
  { name: 'token', about: 'the token, instead of a user', fromFile: true },
  { name: 'creds', about: 'a .creds file: its name, or its text' },
  { name: 'nkey', about: 'the seed of an nkey: the name of a file with it, or the seed itself' },
  { name: 'tls', about: 'true: TLS with the certificates of the system' },
  { name: 'tls_ca', about: 'the authorities to trust: the name of a PEM file, or its text' },
  { name: 'tls_cert', about: "the client's certificate: the name of a PEM file, or its text" },
  { name: 'tls_key', about: "the client's key: the name of a PEM file, or its text" },
  { name: 'tls_servername', about: 'the name that the certificate of the server must have' },
  { name: 'tls_handshake_first', about: "true: TLS before the server's first word" },
  { name: 'inbox_prefix', about: 'what begins reply subjects' },
  { name: 'connect_timeout', about: 'the longest the first connect takes: 5s' },
  { name: 'wait_for_first_connect', about: 'true: keep trying until a server is there' },
  { name: 'ping_interval', about: 'how often a silent connection is tried: 4s' },
];

const mostBytes = 1024 * 1024;
const seedRule = /^\s*(S[A-Z2-7]{50,})\s*$/m;

/** The settings that plugins on NATS take by flag and environment: `nats_user` and so on with the prefix `nats`. */
export function natsFlags(prefix: string): readonly PluginFlag[] {
  return flags.map((flag) => ({ ...flag, name: `${prefix}_${flag.name}` }));
}

/**
 * Returns the options that an operator's addresses and {@link natsFlags} of that prefix are. Files of TLS and of
 * credentials are read at every connect, any other file now.
 * Throws `invalid` naming the setting as the operator wrote it, and shows no value that may be a secret.
 */
export function natsFlagOptions(
  { addresses, logger, settings: all = {} }: PluginOptions,
  prefix: string,
): NatsPluginOptions {
  const settings: Settings = { prefix: `${prefix}_`, all };
  const tls = tlsOptions(settings);
  return {
    servers: addresses,
    logger,
    ...given('name', textOf(settings, 'name')),
    ...given('user', textOf(settings, 'user')),
    ...given('password', textOf(settings, 'password')),
    ...given('token', textOf(settings, 'token')),
    ...credentials(settings),
    ...given('nkeySeed', seed(settings)),
    ...given('inboxPrefix', textOf(settings, 'inbox_prefix')),
    ...given('connectTimeoutMs', milliseconds(settings, 'connect_timeout')),
    ...given('waitForFirstConnect', trueOrFalse(settings, 'wait_for_first_connect')),
    ...given('pingIntervalMs', milliseconds(settings, 'ping_interval')),
    ...given('tls', Object.keys(tls).length > 0 ? tls : trueOrFalse(settings, 'tls')),
  };
}

/** The settings that an operator wrote, by names with the prefix. */
interface Settings {
  readonly prefix: string;
  readonly all: Readonly<Record<string, string>>;
}

function textOf({ prefix, all }: Settings, name: string): string | undefined {
  return all[prefix + name];
}

function tlsOptions(settings: Settings): NatsTlsOptions {
  const document = (option: string, text: string | undefined) => {
    if (text?.includes('-----BEGIN')) return given(option, text);
    if (text === undefined || (text.length < 4096 && !text.includes('\n'))) return given(`${option}File`, text);
    throw new MicroError(
      'invalid',
      `nats: setting ${settings.prefix}tls_${option} is neither a PEM text nor the name of a file`,
    );
  };
  const tls = {
    ...document('ca', textOf(settings, 'tls_ca')),
    ...document('cert', textOf(settings, 'tls_cert')),
    ...document('key', textOf(settings, 'tls_key')),
    ...given('servername', textOf(settings, 'tls_servername')),
    ...given('handshakeFirst', trueOrFalse(settings, 'tls_handshake_first')),
  };
  if (Object.keys(tls).length > 0 && trueOrFalse(settings, 'tls') === false) {
    throw new MicroError(
      'invalid',
      `nats: setting ${settings.prefix}tls is false, and another setting of ${settings.prefix}tls is given`,
    );
  }
  return tls;
}

// An option that is `undefined` is not the same as none to everybody.
function given<N extends string, V>(option: N, value: V | undefined): { readonly [K in N]?: V } {
  return value === undefined ? {} : ({ [option]: value } as { readonly [K in N]: V });
}

function credentials(settings: Settings): Pick<NatsPluginOptions, 'credentials' | 'credentialsFile'> {
  const text = textOrFile(settings, 'creds', /-----BEGIN/);
  const file = textOf(settings, 'creds');
  // What is no regular file, as a pipe of the shell, cannot be read twice.
  if (text === undefined || file === undefined || text === file || !statSync(file).isFile()) {
    return given('credentials', text);
  }
  return { credentialsFile: file };
}

function seed(settings: Settings): string | undefined {
  const text = textOrFile(settings, 'nkey', seedRule);
  // A file of seeds may say in other lines what it is.
  return text === undefined ? undefined : (seedRule.exec(text)?.[1] ?? text.trim());
}

/** Returns the text of the file that a setting names, or the setting itself where it looks like the text. */
function textOrFile(settings: Settings, name: string, textRule: RegExp): string | undefined {
  const value = textOf(settings, name);
  if (value === undefined || textRule.test(value)) return value;
  let reason: string;
  let bytes: Uint8Array | undefined;
  try {
    const { size } = statSync(value);
    if (size <= mostBytes) bytes = readFileSync(value);
    reason = `a file of ${size} bytes`;
  } catch (cause) {
    // The words of the system have the name of the file, which may be a credential in the wrong form.
    reason = (cause as NodeJS.ErrnoException).code ?? 'the file cannot be read';
  }
  const setting = `nats: setting ${settings.prefix}${name}`;
  try {
    if (bytes !== undefined) return decodeText(bytes);
  } catch (error) {
    throw new MicroError('invalid', `${setting} names a file that cannot be read: ${MicroError.textOf(error)}`);
  }
  throw new MicroError('invalid', `${setting} is neither the text itself nor the name of a file (${reason})`);
}

function trueOrFalse(settings: Settings, name: string): boolean | undefined {
  const value = textOf(settings, name)?.toLowerCase();
  if (value === undefined) return undefined;
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw new MicroError(
    'invalid',
    `nats: setting ${settings.prefix}${name} is ${JSON.stringify(textOf(settings, name))}, not true or false`,
  );
}

function milliseconds(settings: Settings, name: string): number | undefined {
  const value = textOf(settings, name);
  if (value === undefined) return undefined;
  const ms = parseGoDuration(value);
  if (ms !== undefined && ms > 0 && ms < 2 ** 31) return ms;
  throw new MicroError(
    'invalid',
    `nats: setting ${settings.prefix}${name} is ${JSON.stringify(value)}, not a duration such as 500ms or 5s`,
  );
}
