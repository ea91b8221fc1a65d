import type { NodeRecord, ServiceRecord } from '@ts-micro/core';
import type { LeasedRecord } from './leased-record.ts';

/**
 * Returns one record for each name and version, each node id once. Of what is there twice, the first answer's counts.
 */
export function mergeAnswers(answers: readonly LeasedRecord[]): ServiceRecord[] {
  const merged = new Map<string, { readonly first: ServiceRecord; readonly nodes: Map<string, NodeRecord> }>();
  for (const { service } of answers) {
    const key = JSON.stringify([service.name, service.version]);
    const entry = merged.get(key) ?? { first: service, nodes: new Map() };
    merged.set(key, entry);
    for (const node of service.nodes) if (!entry.nodes.has(node.id)) entry.nodes.set(node.id, node);
  }
  return [...merged.values()].map(({ first, nodes }) => ({ ...first, nodes: [...nodes.values()] }));
}
