import type { ServiceRecord } from '@ts-micro/core';

/** A key as it was stored, or deleted. */
export interface KeyChange {
  readonly key: string;
  readonly sequence: number;
  /** Absent where the key was deleted. */
  readonly record?: ServiceRecord | undefined;
  /** How much of the lease is left. */
  readonly ttlMs: number;
  /** Orders the changes of a version. */
  readonly changedAt: number;
}
