import { readFileSync, statSync } from 'node:fs';
import { MicroError, type PluginFlag, type PluginOptions } from '@ts-micro/core';
import { parseGoDuration } from '@ts-micro/kit';
import type { NatsTlsOptions } from '../connection/nats-options.ts';
import type { NatsPluginOptions } from '../connection/shared-connection.ts';

/** The settings that every plugin called `nats` takes by flag and environment. */
export const natsFlags: readonly PluginFlag[] = [
  { name: 'nats_name', about: "the connection's name in the server's monitoring" },
  { name: 'nats_user', about: 'the user' },
  { name: 'nats_password', about: "the user's password", fromFile: true },
  { name: 'nats_token', about: 'the token, instead of a user', fromFile: true },
  { name: 'nats_creds', about: 'a .creds file: its name, or its text' },
  { name: 'nats_nkey', about: 'the seed of an nkey: the name of a file with it, or the seed itself' },
  { name: 'nats_tls', about: 'true: TLS with the certificates of the system' },
  { name: 'nats_tls_ca', about: 'the authorities to trust: the name of a PEM file, or its text' },
  { name: 'nats_tls_cert', about: "the client's certificate: the name of a PEM file, or its text" },
  { name: 'nats_tls_key', about: "the client's key: the name of a PEM file, or its text" },
  { name: 'nats_tls_servername', about: 'the name that the certificate of the server must have' },
  { name: 'nats_tls_handshake_first', about: "true: TLS before the server's first word" },
  { name: 'nats_inbox_prefix', about: 'what begins reply subjects' },
  { name: 'nats_connect_timeout', about: 'the longest the first connect takes: 5s' },
  { name: 'nats_wait_for_first_connect', about: 'true: keep trying until a server is there' },
  { name: 'nats_ping_interval', about: 'how often a silent connection is tried: 4s' },
];

const mostBytes = 1024 * 1024;
const seedRule = /^\s*(S[A-Z2-7]{50,})\s*$/m;

/**
 * Returns the options that an operator's addresses and {@link natsFlags} are. A file of TLS is read at every connect,
 * any other file now.
 * Throws `invalid` naming the setting, and shows no value that may be a secret.
 */
export function natsFlagOptions({ addresses, logger, settings = {} }: PluginOptions): NatsPluginOptions {
  const tls = tlsOptions(settings);
  return {
    servers: addresses,
    logger,
    ...given('name', settings.nats_name),
    ...given('user', settings.nats_user),
    ...given('password', settings.nats_password),
    ...given('token', settings.nats_token),
    ...given('credentials', textOrFile(settings, 'nats_creds', /-----BEGIN/)),
    ...given('nkeySeed', seed(settings)),
    ...given('inboxPrefix', settings.nats_inbox_prefix),
    ...given('connectTimeoutMs', milliseconds(settings, 'nats_connect_timeout')),
    ...given('waitForFirstConnect', trueOrFalse(settings, 'nats_wait_for_first_connect')),
    ...given('pingIntervalMs', milliseconds(settings, 'nats_ping_interval')),
    ...given('tls', Object.keys(tls).length > 0 ? tls : trueOrFalse(settings, 'nats_tls')),
  };
}

type Settings = Readonly<Record<string, string>>;

function tlsOptions(settings: Settings): NatsTlsOptions {
  const document = (option: string, text: string | undefined) => {
    if (text?.includes('-----BEGIN')) return given(option, text);
    if (text === undefined || (text.length < 4096 && !text.includes('\n'))) return given(`${option}File`, text);
    throw new MicroError('invalid', `nats: setting nats_tls_${option} is neither a PEM text nor the name of a file`);
  };
  const tls = {
    ...document('ca', settings.nats_tls_ca),
    ...document('cert', settings.nats_tls_cert),
    ...document('key', settings.nats_tls_key),
    ...given('servername', settings.nats_tls_servername),
    ...given('handshakeFirst', trueOrFalse(settings, 'nats_tls_handshake_first')),
  };
  if (Object.keys(tls).length > 0 && trueOrFalse(settings, 'nats_tls') === false) {
    throw new MicroError('invalid', 'nats: setting nats_tls is false, and another setting of nats_tls is given');
  }
  return tls;
}

// An option that is `undefined` is not the same as none to everybody.
function given<N extends string, V>(option: N, value: V | undefined): { readonly [K in N]?: V } {
  return value === undefined ? {} : ({ [option]: value } as { readonly [K in N]: V });
}

function seed(settings: Settings): string | undefined {
  const text = textOrFile(settings, 'nats_nkey', seedRule);
  // A file of seeds may say in other lines what it is.
  return text === undefined ? undefined : (seedRule.exec(text)?.[1] ?? text.trim());
}

/** Returns the text of the file that a setting names, or the setting itself where it looks like the text. */
function textOrFile(settings: Settings, name: string, textRule: RegExp): string | undefined {
  const value = settings[name];
  if (value === undefined || textRule.test(value)) return value;
  let reason: string;
  try {
    const { size } = statSync(value);
    if (size <= mostBytes) return readFileSync(value, 'utf8');
    reason = `a file of ${size} bytes`;
  } catch (cause) {
    // The words of the system have the name of the file, which may be a credential in the wrong form.
    reason = (cause as NodeJS.ErrnoException).code ?? 'the file cannot be read';
  }
  throw new MicroError(
    'invalid',
    `nats: setting ${name} is neither the text itself nor the name of a file (${reason})`,
  );
}

function trueOrFalse(settings: Settings, name: string): boolean | undefined {
  const value = settings[name]?.toLowerCase();
  if (value === undefined) return undefined;
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw new MicroError('invalid', `nats: setting ${name} is ${JSON.stringify(settings[name])}, not true or false`);
}

function milliseconds(settings: Settings, name: string): number | undefined {
  const value = settings[name];
  if (value === undefined) return undefined;
  const ms = parseGoDuration(value);
  if (ms !== undefined && ms > 0 && ms < 2 ** 31) return ms;
  throw new MicroError(
    'invalid',
    `nats: setting ${name} is ${JSON.stringify(value)}, not a duration such as 500ms or 5s`,
  );
}
