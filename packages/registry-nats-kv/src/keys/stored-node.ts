import { MicroError, type ServiceRecord } from '@ts-micro/core';
import { checkRecord, checkTtl } from '@ts-micro/kit';
import { keyOf } from './node-key.ts';

/** The value of a key: a node in a record of its own, or a version without nodes. */
export interface StoredNode {
  /** Which registry wrote it: a random text for each. */
  readonly owner: string;
  /** The lease in milliseconds from the moment at which the server stored it. */
  readonly ttlMs: number;
  /** The sequence at which the record was stored first, in a renewal. What changed last says what a version is. */
  readonly since?: number | undefined;
  readonly record: ServiceRecord;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });
const texts = new Set(['name', 'version', 'id', 'address', 'type']);

/** Its nodes, each in a record of its own. */
export function splitRecord(record: ServiceRecord): readonly ServiceRecord[] {
  return record.nodes.length > 0 ? record.nodes.map((node) => ({ ...record, nodes: [node] })) : [record];
}

/** A renewal is as long as what it renews, or else a full bucket refuses it. */
export function encodeNode({ owner, ttlMs, since = 0, record }: StoredNode): Uint8Array {
  return encoder.encode(JSON.stringify({ owner, ttlMs: Math.ceil(ttlMs), since: fixedWidth(since), record }));
}

/** Writes a sequence with as many digits as any. */
export function fixedWidth(sequence: number): string {
  return String(sequence).padStart(16, '0');
}

/** Throws where the value is none of a registry's, or that of another key: anybody can write into a bucket. */
export function decodeNode(data: Uint8Array, key: string): StoredNode {
  const { owner, ttlMs, since, record: given } = JSON.parse(decoder.decode(data));
  if (typeof owner !== 'string' || typeof ttlMs !== 'number' || !isPlain(given)) throw malformed('a field is wrong');
  checkTtl(ttlMs, 'stored node');
  const record = checkRecord(given as unknown as ServiceRecord, 'stored node');
  if (record.nodes.length > 1 || keyOf(record) !== key) throw malformed('it is the value of another key');
  return { owner, ttlMs, since: /^\d{16}$/.test(since) ? Number(since) || undefined : undefined, record };
}

/** Whether every leaf is a text, and what must be a text is one. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'string') return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).every(([name, part]) => (texts.has(name) ? typeof part === 'string' : isPlain(part)));
}

function malformed(why: string): MicroError {
  return new MicroError('malformed', `stored node: ${why}`);
}
