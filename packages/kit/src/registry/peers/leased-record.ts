import type { ServiceRecord } from '@ts-micro/core';

/** One record as one peer told it. */
export interface LeasedRecord {
  readonly service: ServiceRecord;
  /** The leases in ms, for the nodes in their order or one for all; `undefined` where the peer states none. */
  readonly leasesMs: readonly number[] | undefined;
}
