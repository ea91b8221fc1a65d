import type { NodeRecord, ServiceRecord } from '@ts-micro/core';

export function nodesOf(records: readonly ServiceRecord[]): readonly NodeRecord[] {
  return records.flatMap((record) => record.nodes);
}

/**
 * `records`, and of `others` the versions and nodes that are missing there, and the addresses: who answers is there,
 * and anybody can have announced another address for it.
 */
export function united(records: readonly ServiceRecord[], others: readonly ServiceRecord[]): readonly ServiceRecord[] {
  const result = new Map(records.map((record) => [record.version, record]));
  for (const other of others) {
    const record = result.get(other.version);
    if (record === undefined) {
      result.set(other.version, other);
      continue;
    }
    const answered = new Map(other.nodes.map((node) => [node.id, node]));
    const nodes = record.nodes.map((node) => {
      const now = answered.get(node.id);
      answered.delete(node.id);
      return now === undefined || now.address === node.address ? node : now;
    });
    result.set(other.version, { ...record, nodes: [...nodes, ...answered.values()] });
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
