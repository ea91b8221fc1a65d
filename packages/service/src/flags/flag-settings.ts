import { MicroError } from '@ts-micro/core';
import { parseGoDuration } from './go-duration.ts';

/** What flags and environment can say beside the plugins, under the names that `createService` and `createClient` take them by. */
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

/** What was given for one flag, and by what: `--client_retries` or `MICRO_CLIENT_RETRIES`. Lists come as their parts. */
export interface GivenFlag {
  readonly source: string;
  readonly text: string;
  readonly parts: readonly string[];
}

/** How each flag becomes a setting. Throws `invalid` naming source and value. */
export const settingFlags: Readonly<Record<string, (given: GivenFlag) => FlagSettings>> = {
  server_name: ({ text }) => ({ name: text }),
  server_id: ({ text }) => ({ id: text }),
  server_version: ({ text }) => ({ version: text }),
  server_address: ({ text }) => (text === ':0' ? {} : { address: text }),
  server_advertise: ({ text }) => ({ advertise: text }),
  server_metadata: (given) => ({ metadata: metadata(given) }),
  register_ttl: (given) => ({ registerTtlMs: secondsOrDuration(given) }),
  register_interval: (given) => ({ registerIntervalMs: secondsOrDuration(given) }),
  client_request_timeout: (given) => ({ timeoutMs: duration(given) }),
  client_retries: (given) => ({ retries: wholeNumber(given, 0) }),
  client_pool_size: (given) => ({ poolSize: wholeNumber(given, 1) }),
  client_pool_ttl: (given) => ({ poolIdleMs: duration(given) }),
  selector: (given) => ({ selector: selector(given) }),
};

/** The `invalid` error of a value that breaks a rule. */
function invalidFlag({ source, text }: Pick<GivenFlag, 'source' | 'text'>, rule: string): MicroError {
  return new MicroError('invalid', `flags: ${source}=${text} ${rule}`);
}

function metadata(given: GivenFlag): Readonly<Record<string, string>> {
  const entries = given.parts.map((part) => {
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
