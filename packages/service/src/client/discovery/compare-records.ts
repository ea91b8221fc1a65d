import type { NodeRecord, ServiceRecord } from '@ts-micro/core';

export function nodesOf(records: readonly ServiceRecord[]): readonly NodeRecord[] {
  return records.flatMap((record) => record.nodes);
}

/** `records`, and of `others` the versions and nodes that are missing there. */
export function united(records: readonly ServiceRecord[], others: readonly ServiceRecord[]): readonly ServiceRecord[] {
  const result = new Map(records.map((record) => [record.version, record]));
  for (const other of others) {
    const record = result.get(other.version);
    const ids = new Set(record?.nodes.map(({ id }) => id));
    const missing = other.nodes.filter(({ id }) => !ids.has(id));
    result.set(other.version, record ? { ...record, nodes: [...record.nodes, ...missing] } : other);
  }
  return [...result.values()];
}

/** The addresses whose node is new or another one in `after`, and those that are in `before` alone. */
export function addressChanges(
  before: readonly ServiceRecord[],
  after: readonly ServiceRecord[],
): { readonly news: readonly string[]; readonly gone: readonly string[] } {
  const known = new Map(nodesOf(before).map((node) => [node.address, node]));
  const news: string[] = [];
  for (const node of nodesOf(after)) {
    const old = known.get(node.address);
    known.delete(node.address);
    if (old === undefined || !isSameNode(old, node)) news.push(node.address);
  }
  return { news, gone: [...known.keys()] };
}

function isSameNode(one: NodeRecord, other: NodeRecord): boolean {
  const names = Object.keys(one.metadata);
  return (
    one.id === other.id &&
    names.length === Object.keys(other.metadata).length &&
    names.every((name) => one.metadata[name] === other.metadata[name])
  );
}
