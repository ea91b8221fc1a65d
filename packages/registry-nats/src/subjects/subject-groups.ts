import type { AbortOptions, Logger, MicroError } from '@ts-micro/core';
import type { NatsConnection, NatsMessage } from '@ts-micro/nats';
import { SubjectGroup } from './subject-group.ts';

export interface SubjectGroupsOptions {
  readonly connection: NatsConnection;
  readonly logger: Logger;
  /** Called once for a message, with the key of the group on whose subjects it came. */
  readonly onMessage: (message: NatsMessage, key: string) => void;
  /** Called when the server refuses a subject of a group. */
  readonly onRefused: (error: MicroError, key: string) => void;
}

/** The key of a group. */
export function groupKey(subjects: readonly string[]): string {
  return subjects.join(',');
}

/** Groups of subjects, each subscribed once however often it is started. */
export class SubjectGroups {
  readonly #options: SubjectGroupsOptions;
  readonly #groups = new Map<string, SubjectGroup>();

  constructor(options: SubjectGroupsOptions) {
    this.#options = options;
  }

  /**
   * Subscribes where that is not done yet; resolves once the server has it. Errors: `unauthorized`, `unavailable`,
   * `closed`.
   */
  start(subjects: readonly string[], options?: AbortOptions): Promise<void> {
    return this.#groupOf(groupKey(subjects), subjects).start(options);
  }

  stop(subjects: readonly string[]): void {
    const key = groupKey(subjects);
    this.#groups.get(key)?.stop();
    this.#groups.delete(key);
  }

  stopAll(): void {
    for (const group of this.#groups.values()) group.stop();
  }

  #groupOf(key: string, subjects: readonly string[]): SubjectGroup {
    const present = this.#groups.get(key);
    if (present !== undefined) return present;
    const { connection, logger, onMessage, onRefused } = this.#options;
    const group = new SubjectGroup({
      connection,
      logger,
      subjects,
      onMessage: (message) => onMessage(message, key),
      onRefused: (error) => onRefused(error, key),
    });
    this.#groups.set(key, group);
    return group;
  }
}
