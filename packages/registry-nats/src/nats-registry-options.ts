import type { Logger } from '@ts-micro/core';
import { OptionChecks, type OptionNames, safeLogger } from '@ts-micro/kit';
import { checkSubject, type NatsPluginOptions, natsOptionNames } from '@ts-micro/nats';
import { type SubjectPlan, sharedSubjects, subjectsByName } from './subjects/subject-plan.ts';

/** How to connect, and how to ask. */
export interface NatsRegistryOptions extends NatsPluginOptions {
  /**
   * The longest a lookup takes: also how long it waits for an unknown name where other services keep silent. Up to five
   * times as long while nothing came and the server, or this process, is found to be slow.
   * @default 500
   */
  readonly queryTimeoutMs?: number | undefined;
  /** A lookup ends this long after the last answer. @default 25 */
  readonly quietMs?: number | undefined;
  /** A `getService` ends once one version has this many nodes. @default none */
  readonly quorum?: number | undefined;
  /**
   * Chooses the registries that it finds and is found by. `go`: Go Micro's registries and ours, on subjects that all
   * services share. `native`: only registries of the same dialect, on subjects of each service's own below the query
   * and watch subjects, so that a lookup or an announcement reaches only those who have to do with it.
   * @default 'go'
   */
  readonly dialect?: 'go' | 'native' | undefined;
  /**
   * The subjects to ask and to answer on.
   * @default both of Go Micro: `micro.nats.query` (core 5.7 and later), `micro.registry.nats.query` (before);
   * natively `ts-micro.query`
   */
  readonly querySubjects?: readonly string[] | undefined;
  /**
   * The subjects to announce and to watch on.
   * @default both of Go Micro: `micro.nats.watch` (core 5.7 and later), `micro.registry.nats.watch` (before);
   * natively `ts-micro.watch`
   */
  readonly watchSubjects?: readonly string[] | undefined;
  /**
   * The lease of nodes registered without `ttlMs`, renewed three times in it, and of those a Go peer announces.
   * @default 90000
   */
  readonly defaultLeaseMs?: number | undefined;
  /**
   * The longest lease that a peer is believed. A node that states a longer one is asked for when this one is over.
   * @default 600000, or `defaultLeaseMs` where that is longer
   */
  readonly maxLeaseMs?: number | undefined;
  /**
   * The most nodes that one watcher knows and one lookup returns. Where it is full, nodes that it does not know are
   * left out.
   * @default 20000
   */
  readonly maxNodes?: number | undefined;
  /** The most memory in bytes, roughly, that the records of one watcher or lookup take. @default 64 MiB */
  readonly maxBytes?: number | undefined;
  /** The longest record in bytes that is announced, and read from peers. @default 1 MiB */
  readonly maxRecordBytes?: number | undefined;
}

/** {@link NatsRegistryOptions} checked, with defaults filled in. */
export interface NatsRegistrySettings {
  /** The options of the connection alone: plugins for which this is equal share one. */
  readonly connect: NatsPluginOptions;
  readonly queryTimeoutMs: number;
  readonly quietMs: number;
  readonly quorum: number | undefined;
  readonly subjects: SubjectPlan;
  readonly defaultLeaseMs: number;
  readonly maxLeaseMs: number;
  readonly maxNodes: number;
  readonly maxBytes: number;
  readonly maxRecordBytes: number;
  readonly logger: Logger;
}

const checks = new OptionChecks('nats registry');
const optionNames: OptionNames<NatsRegistryOptions> = {
  ...natsOptionNames,
  queryTimeoutMs: true,
  quietMs: true,
  quorum: true,
  dialect: true,
  querySubjects: true,
  watchSubjects: true,
  defaultLeaseMs: true,
  maxLeaseMs: true,
  maxNodes: true,
  maxBytes: true,
  maxRecordBytes: true,
};

/** Throws `invalid` naming the option and its value. */
export function checkRegistryOptions(options: NatsRegistryOptions): NatsRegistrySettings {
  checks.named(options, optionNames);
  const {
    queryTimeoutMs = 500,
    quietMs = 25,
    quorum,
    dialect = 'go',
    querySubjects = dialect === 'go' ? ['micro.nats.query', 'micro.registry.nats.query'] : ['ts-micro.query'],
    watchSubjects = dialect === 'go' ? ['micro.nats.watch', 'micro.registry.nats.watch'] : ['ts-micro.watch'],
    defaultLeaseMs = 90_000,
    maxLeaseMs = Math.max(600_000, defaultLeaseMs),
    maxNodes = 20_000,
    maxBytes = 2 ** 26,
    maxRecordBytes = 2 ** 20,
    ...connect
  } = options;
  for (const [option, value] of Object.entries({ queryTimeoutMs, quietMs, defaultLeaseMs, maxLeaseMs }))
    checks.milliseconds(option, value);
  for (const [option, value] of Object.entries({ maxNodes, maxBytes, maxRecordBytes })) checks.whole(option, value);
  checkQuorum(quorum);
  checks.oneOf('dialect', dialect, ['go', 'native']);
  const plan = dialect === 'go' ? sharedSubjects : subjectsByName;
  return {
    connect,
    queryTimeoutMs,
    quietMs,
    quorum,
    subjects: plan(checkSubjects('querySubjects', querySubjects), checkSubjects('watchSubjects', watchSubjects)),
    defaultLeaseMs,
    maxLeaseMs,
    maxNodes,
    maxBytes,
    maxRecordBytes,
    logger: safeLogger(connect.logger),
  };
}

/** Throws `invalid` unless `quorum` is a whole number from 1 up, or absent. */
export function checkQuorum(quorum: number | undefined): void {
  if (quorum !== undefined) checks.whole('quorum', quorum);
}

function checkSubjects(option: string, subjects: readonly string[]): readonly string[] {
  if (!Array.isArray(subjects) || subjects.length === 0)
    throw checks.invalid(option, subjects, 'an array of at least one subject');
  for (const subject of subjects) {
    checkSubject(subject, `nats registry: option ${option}`);
    // A comma separates subjects in the header that tells peers where else a message was published.
    if (subject.includes(',')) throw checks.invalid(option, subject, 'a subject without a comma');
  }
  return [...new Set(subjects)];
}
