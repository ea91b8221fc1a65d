import { MicroError } from '@ts-micro/core';
import { parseGoDuration } from '@ts-micro/kit';
import type { GivenFlag } from './read-flags.ts';
import { partsOf } from './server-texts.ts';

/**
 * The settings that flags and environment can give beside the plugins, under the names that `createService` and
 * `createClient` take them by.
 */
export interface FlagSettings {
  /** `--server_name` */
  readonly name?: string;
  /** `--server_id` */
  readonly id?: string;
  /** `--server_version` */
  readonly version?: string;
  /** `--server_address`: where to listen. `:0`, Go Micro's word for any, counts as not given. */
  readonly address?: string;
  /** `--server_advertise`: the address to register instead. */
  readonly advertise?: string;
  /** `--server_metadata`: what the node adds to its metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** `--register_ttl`, in seconds or as a Go duration. */
  readonly registerTtlMs?: number;
  /** `--register_interval`, in seconds or as a Go duration. */
  readonly registerIntervalMs?: number;
  /** `--client_request_timeout`, a Go duration. */
  readonly timeoutMs?: number;
  /** `--client_retries` */
  readonly retries?: number;
  /** `--client_pool_size` */
  readonly poolSize?: number;
  /** `--client_pool_ttl`, a Go duration. */
  readonly poolIdleMs?: number;
  /** `--selector`: `random` or `roundRobin`; Go Micro's `registry` means random. */
  readonly selector?: 'random' | 'roundRobin';
}

/** One of the runtime's own flags. */
export interface SettingFlag {
  /** One line for a list of flags. */
  readonly about: string;
  /** Returns the setting that the flag's value is. Throws `invalid` naming source and value. */
  readonly read: (given: GivenFlag) => FlagSettings;
}

/** The runtime's own flags by name. */
export const settingFlags: Readonly<Record<string, SettingFlag>> = {
  server_name: { about: "the service's name", read: ({ text }) => ({ name: text }) },
  server_id: { about: "the node's id", read: ({ text }) => ({ id: text }) },
  server_version: { about: "the service's version", read: ({ text }) => ({ version: text }) },
  server_address: {
    about: 'where to listen; :0 lets the transport choose',
    read: ({ text }) => (text === ':0' ? {} : { address: text }),
  },
  server_advertise: { about: 'the address to register instead', read: ({ text }) => ({ advertise: text }) },
  server_metadata: {
    about: 'metadata of the node: name=value,name=value',
    read: (given) => ({ metadata: metadata(given) }),
  },
  register_ttl: {
    about: 'how long a registration is good for: seconds, or a duration such as 1m30s',
    read: (given) => ({ registerTtlMs: secondsOrDuration(given) }),
  },
  register_interval: {
    about: 'how often to register again: seconds, or a duration such as 30s',
    read: (given) => ({ registerIntervalMs: secondsOrDuration(given) }),
  },
  client_request_timeout: {
    about: 'the longest a call takes: 500ms, 5s',
    read: (given) => ({ timeoutMs: duration(given) }),
  },
  client_retries: { about: 'how often a call is tried again', read: (given) => ({ retries: wholeNumber(given, 0) }) },
  client_pool_size: { about: 'idle sockets kept for one node', read: (given) => ({ poolSize: wholeNumber(given, 1) }) },
  client_pool_ttl: {
    about: 'how long an idle socket is kept: 45s',
    read: (given) => ({ poolIdleMs: duration(given) }),
  },
  selector: {
    about: 'how a call chooses its node: random or roundRobin',
    read: (given) => ({ selector: selector(given) }),
  },
};

/** The `invalid` error of a value that breaks a rule. */
function invalidFlag({ source, text }: GivenFlag, rule: string): MicroError {
  return new MicroError('invalid', `flags: ${source}=${text} ${rule}`);
}

function metadata(given: GivenFlag): Readonly<Record<string, string>> {
  const entries = partsOf(given.text).map((part) => {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(part) ?? [];
    if (name === undefined || value === undefined)
      throw invalidFlag({ ...given, text: part }, 'is not of the form name=value');
    return [name.trim(), value.trim()] as const;
  });
  return Object.fromEntries(entries);
}

function wholeNumber(given: GivenFlag, least: number): number {
  const value = Number(given.text);
  if (/^\d+$/.test(given.text) && Number.isSafeInteger(value) && value >= least) return value;
  throw invalidFlag(given, `is not a whole number of at least ${least}`);
}

function duration(given: GivenFlag): number {
  const ms = parseGoDuration(given.text);
  if (ms !== undefined && isTime(ms)) return ms;
  throw invalidFlag(given, 'is not a positive duration such as 500ms or 1m30s');
}

function secondsOrDuration(given: GivenFlag): number {
  const ms = /^\d+$/.test(given.text) ? Number(given.text) * 1000 : parseGoDuration(given.text);
  if (ms !== undefined && isTime(ms)) return ms;
  throw invalidFlag(given, 'is neither a positive number of seconds nor a duration such as 1m30s');
}

// Beyond this a timer fires at once.
function isTime(ms: number): boolean {
  return ms > 0 && ms < 2 ** 31;
}

function selector(given: GivenFlag): 'random' | 'roundRobin' {
  switch (given.text.toLowerCase().replaceAll(/[_-]/g, '')) {
    case 'random':
    case 'registry':
      return 'random';
    case 'roundrobin':
      return 'roundRobin';
    default:
      throw invalidFlag(given, 'is not one of random, roundRobin');
  }
}
