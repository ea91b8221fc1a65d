import { type Logger, MicroError } from '@ts-micro/core';
import { safeLogger } from '@ts-micro/kit';
import { checkSubject, type NatsPluginOptions } from '@ts-micro/nats';
import { type SubjectPlan, sharedSubjects, subjectsByName } from './subject-plan.ts';

/** How to connect, and how to ask. */
export interface NatsRegistryOptions extends NatsPluginOptions {
  /** The longest a lookup takes: also how long it waits for an unknown name where other services keep silent. @default 500 */
  readonly queryTimeoutMs?: number | undefined;
  /** A lookup ends this long after the last answer. @default 25 */
  readonly quietMs?: number | undefined;
  /** A `getService` ends once one version has this many nodes. @default none */
  readonly quorum?: number | undefined;
  /**
   * Whether Go Micro's registries are found and find this one. `false` gives each service subjects of its own, below the query and watch
   * subjects, so that a lookup or an announcement costs nothing to who has nothing to do with it; then only registries that say `false`
   * as well see each other.
   * @default true
   */
  readonly interop?: boolean | undefined;
  /**
   * Where to ask and to answer.
   * @default both of Go Micro: `micro.nats.query` (core 5.7 and later), `micro.registry.nats.query` (before); without `interop` `ts-micro.query`
   */
  readonly querySubjects?: readonly string[] | undefined;
  /**
   * Where to announce and to watch.
   * @default both of Go Micro: `micro.nats.watch` (core 5.7 and later), `micro.registry.nats.watch` (before); without `interop` `ts-micro.watch`
   */
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
  readonly subjects: SubjectPlan;
  readonly defaultLeaseMs: number;
  readonly logger: Logger;
}

/** Throws `invalid` naming the option and its value. */
export function checkRegistryOptions({
  queryTimeoutMs = 500,
  quietMs = 25,
  quorum,
  interop = true,
  querySubjects = interop ? ['micro.nats.query', 'micro.registry.nats.query'] : ['ts-micro.query'],
  watchSubjects = interop ? ['micro.nats.watch', 'micro.registry.nats.watch'] : ['ts-micro.watch'],
  defaultLeaseMs = 90_000,
  ...connect
}: NatsRegistryOptions): NatsRegistrySettings {
  checkMilliseconds('queryTimeoutMs', queryTimeoutMs);
  checkMilliseconds('quietMs', quietMs);
  checkMilliseconds('defaultLeaseMs', defaultLeaseMs);
  checkQuorum('option quorum', quorum);
  if (typeof interop !== 'boolean') {
    throw new MicroError('invalid', `nats registry: option interop is ${String(interop)}, neither true nor false`);
  }
  const plan = interop ? sharedSubjects : subjectsByName;
  return {
    connect,
    queryTimeoutMs,
    quietMs,
    quorum,
    subjects: plan(checkSubjects('querySubjects', querySubjects), checkSubjects('watchSubjects', watchSubjects)),
    defaultLeaseMs,
    logger: safeLogger(connect.logger),
  };
}

// setTimeout takes no more.
const longestTimerMs = 2 ** 31 - 1;

function checkMilliseconds(option: string, value: number): void {
  if (typeof value === 'number' && value > 0 && value <= longestTimerMs) return;
  const rule = `not a number above 0 and up to ${longestTimerMs}`;
  throw new MicroError('invalid', `nats registry: option ${option} is ${String(value)}, ${rule}`);
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
