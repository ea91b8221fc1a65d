import type { ContractCase } from '../../contract-case.ts';
import { hostileToRegistries } from '../hostile/registry.ts';
import { registryPrograms } from '../programs/registry-program.ts';
import { leases } from './leases.ts';
import { lookup } from './lookup.ts';
import { merging } from './merging.ts';
import { outages } from './outage.ts';
import { outageTruths } from './outage-truth.ts';
import { recordsApart } from './records-apart.ts';
import { traits } from './traits.ts';
import { watcher } from './watcher.ts';
import { watcherEnd } from './watcher-end.ts';

/** The contracts of `Registry` and `Watcher`, one case for each line. */
export const registryCases: readonly ContractCase<'registry'>[] = [
  ...lookup,
  ...merging,
  ...registryPrograms,
  ...leases,
  ...recordsApart,
  ...watcher,
  ...watcherEnd,
  ...traits,
  ...outages,
  ...outageTruths,
  ...hostileToRegistries,
];
