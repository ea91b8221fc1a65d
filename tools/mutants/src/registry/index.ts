import type { Closable } from '@ts-micro/core';
import type { Mutant } from '../mutant.ts';
import { programs } from '../programs/registry.ts';
import { traitMutants } from '../traits.ts';
import { deadlines } from './deadlines.ts';
import { features } from './features.ts';
import { hearing } from './hearing.ts';
import { hostile } from './hostile.ts';
import { leases } from './leases.ts';
import { lookup } from './lookup.ts';
import { merging } from './merging.ts';
import { outages } from './outage.ts';
import { records } from './records.ts';
import { registries, watchers } from './seams.ts';
import { watcher } from './watcher.ts';
import { watching } from './watching.ts';

type Members = (object: Closable) => Record<string, unknown>;

export const registryMutants: readonly Mutant<'registry'>[] = [
  ...lookup,
  ...merging,
  ...leases,
  ...records,
  ...watching,
  ...hearing,
  ...watcher,
  ...outages,
  ...deadlines,
  ...features,
  ...hostile,
  ...programs,
  ...traitMutants({
    interface: 'registry',
    subject: 'registry',
    methods: { register: 1, deregister: 1, getService: 1, listServices: 0, watch: 0 },
    alter: (members: Members) => registries(members),
  }),
  ...traitMutants({
    interface: 'registry',
    subject: 'watcher',
    methods: { receive: 0 },
    alter: (members: Members) => watchers(members),
  }),
];
