import type { ServiceRecord } from '@ts-micro/core';
import type { NodeChange } from './node-store.ts';

/** What became of the record under one name of a store: what was there, and what is there now. */
export interface RecordChange {
  readonly was: ServiceRecord | undefined;
  readonly is: ServiceRecord | undefined;
  readonly revision: number;
}

/** Makes changes of nodes of what became of records, those of one version and revision in one. */
export function nodeChanges(records: readonly RecordChange[]): readonly NodeChange[] {
  const changes = new Map<string, NodeChange>();
  const add = (type: NodeChange['type'], record: ServiceRecord, revision: number) => {
    const group = JSON.stringify([revision, type, record.name, record.version, record.nodes.length > 0]);
    const nodes = changes.get(group)?.record.nodes ?? [];
    changes.set(group, { type, revision, record: { ...record, nodes: [...nodes, ...record.nodes] } });
  };
  for (const { was, is, revision } of records) {
    if (is) add('put', is, revision);
    if (was === undefined) continue;
    const isSameVersion = is?.name === was.name && is.version === was.version;
    const nodes = was.nodes.filter(({ id }) => !isSameVersion || !is?.nodes.some((node) => node.id === id));
    // A version alone that got nodes is told by these.
    if (nodes.length > 0 || is === undefined) add('remove', { ...was, nodes }, revision);
  }
  return [...changes.values()];
}
