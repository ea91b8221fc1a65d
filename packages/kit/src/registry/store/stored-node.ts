import { MicroError, type ServiceRecord, type ValueRecord } from '@ts-micro/core';
import { checkRecord } from '../registry-rules.ts';

/** A node in a record of its own, or a version without nodes. Times are milliseconds on the store's clock. */
export interface StoredNode {
  /** Which registry put it last. */
  readonly owner: string;
  readonly changedAt: number;
  /** Absent where it has no lease. */
  readonly endsAt?: number | undefined;
  readonly record: ServiceRecord;
}

// How long after the end of its lease a node is removed for good: by then nobody is about to register it.
const dayMs = 86_400_000;
const deepest = 64;

/** The name under which a node, or a version without nodes, is stored. */
export function fieldOf({ name, version, nodes }: ServiceRecord): string {
  return JSON.stringify([name, version, nodes[0]?.id ?? '']);
}

/** Its nodes, each in a record of its own. */
export function splitRecord(record: ServiceRecord): readonly ServiceRecord[] {
  return record.nodes.length > 0 ? record.nodes.map((node) => ({ ...record, nodes: [node] })) : [record];
}

/** Returns the nodes among these texts. Any other text is left out, because anybody can write into a store. */
export function parseNodes(texts: Iterable<string>): readonly StoredNode[] {
  return Array.from(texts).flatMap((text) => {
    try {
      const { owner, changedAt, endsAt, record }: StoredNode = JSON.parse(text);
      const isNode = Number.isFinite(changedAt) && (endsAt === undefined || Number.isFinite(endsAt));
      return isNode ? [{ owner, changedAt, endsAt, record: readRecord(record) }] : [];
    } catch {
      return [];
    }
  });
}

/** Returns a private copy of what anybody may have written. Throws where it is no record, or its values are deep. */
export function readRecord(given: unknown): ServiceRecord {
  const record = checkRecord(given as ServiceRecord, 'stored node');
  if (record.endpoints.every(({ request, response }) => isValue(request) && isValue(response))) return record;
  throw new MicroError('malformed', `stored node: service "${record.name}": a value of an endpoint is none`);
}

function isValue(value: ValueRecord | undefined, depth = 0): boolean {
  if (value === undefined) return true;
  const { name, type, values } = value;
  const isPlain = typeof name === 'string' && typeof type === 'string' && depth <= deepest;
  return isPlain && values.every((inner) => isValue(inner, depth + 1));
}

/** Whether its lease runs still. */
export function isLive({ endsAt }: StoredNode, now: number): boolean {
  return endsAt === undefined || endsAt > now;
}

/** The fields of those whose processes are long gone. */
export function staleFields(nodes: readonly StoredNode[], now: number): readonly string[] {
  return nodes.filter(({ endsAt = now }) => endsAt < now - dayMs).map(({ record }) => fieldOf(record));
}
