import { type Logger, MicroError, silentLogger } from '@ts-micro/core';
import { checkSubject, type NatsPluginOptions } from '@ts-micro/nats';

/** How to connect, and how to ask. */
export interface NatsRegistryOptions extends NatsPluginOptions {
  /** The longest a lookup takes: also how long it waits for an unknown name where other services keep silent. @default 500 */
  readonly queryTimeoutMs?: number | undefined;
  /** A lookup ends this long after the last answer. @default 25 */
  readonly quietMs?: number | undefined;
  /** A `getService` ends once one version has this many nodes. @default none */
  readonly quorum?: number | undefined;
  /** Where to ask and to answer. @default both of Go Micro: `micro.nats.query` (core 5.7 and later), `micro.registry.nats.query` (before) */
  readonly querySubjects?: readonly string[] | undefined;
  /** Where to announce and to watch. @default both of Go Micro: `micro.nats.watch` (core 5.7 and later), `micro.registry.nats.watch` (before) */
  readonly watchSubjects?: readonly string[] | undefined;
  /** The lease of nodes registered without `ttlMs`, renewed three times in it, and of those a Go peer announces. @default 90000 */
  readonly defaultLeaseMs?: number | undefined;
}

/** {@link NatsRegistryOptions} checked, with defaults filled in. */
export interface NatsRegistrySettings {
  /** What is about the connection alone: plugins for which this is equal share one. */
  readonly connect: NatsPluginOptions;
  readonly queryTimeoutMs: number;
  readonly quietMs: number;
  readonly quorum: number | undefined;
  readonly querySubjects: readonly string[];
  readonly watchSubjects: readonly string[];
  readonly defaultLeaseMs: number;
  readonly logger: Logger;
}

/** Throws `invalid` naming the option and its value. */
export function checkRegistryOptions({
  queryTimeoutMs = 500,
  quietMs = 25,
  quorum,
  querySubjects = ['micro.nats.query', 'micro.registry.nats.query'],
  watchSubjects = ['micro.nats.watch', 'micro.registry.nats.watch'],
  defaultLeaseMs = 90_000,
  ...connect
}: NatsRegistryOptions): NatsRegistrySettings {
  checkPositive('option queryTimeoutMs', queryTimeoutMs);
  checkPositive('option quietMs', quietMs);
  checkPositive('option defaultLeaseMs', defaultLeaseMs);
  checkQuorum('option quorum', quorum);
  return {
    connect,
    queryTimeoutMs,
    quietMs,
    quorum,
    querySubjects: checkSubjects('querySubjects', querySubjects),
    watchSubjects: checkSubjects('watchSubjects', watchSubjects),
    defaultLeaseMs,
    logger: connect.logger ?? silentLogger,
  };
}

// setTimeout takes no more.
const longestTimerMs = 2 ** 31 - 1;

/** Throws `invalid` unless `value` is a number above 0 and up to `most`. @default for `most` what a timer takes */
export function checkPositive(what: string, value: number, most: number = longestTimerMs): void {
  if (typeof value === 'number' && value > 0 && value <= most) return;
  throw new MicroError('invalid', `nats registry: ${what} is ${String(value)}, not a number above 0 and up to ${most}`);
}

/** Throws `invalid` unless `value` is a whole number from 1 up, or absent. */
export function checkQuorum(what: string, value: number | undefined): void {
  if (value === undefined || (Number.isInteger(value) && value > 0)) return;
  throw new MicroError('invalid', `nats registry: ${what} is ${String(value)}, not a whole number from 1 up`);
}

function checkSubjects(option: string, subjects: readonly string[]): readonly string[] {
  if (!Array.isArray(subjects) || subjects.length === 0) {
    throw new MicroError('invalid', `nats registry: option ${option} is not an array of at least one subject`);
  }
  for (const subject of subjects) checkSubject(subject, `nats registry: option ${option}`);
  // A comma separates subjects in the header that tells peers where else a message was published.
  const comma = subjects.find((subject) => subject.includes(','));
  if (comma !== undefined) {
    throw new MicroError('invalid', `nats registry: option ${option}: "${comma}" contains a comma`);
  }
  return [...new Set(subjects)];
}
