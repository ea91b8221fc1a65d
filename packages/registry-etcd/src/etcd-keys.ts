import type { ServiceRecord } from '@ts-micro/core';
import { recordFromJson } from '@ts-micro/kit';

/** A key and its value as the JSON gateway gives them: texts in base64, numbers of 64 bits as texts. */
export interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision?: string;
  readonly create_revision?: string;
}

/** The key of a node in Go Micro's layout, `<prefix><service>/<node>`, where `/` is written `-`. */
export function keyOf(prefix: string, { name, nodes }: ServiceRecord): string {
  return `${folderOf(prefix, name)}${(nodes[0]?.id ?? '').replaceAll('/', '-')}`;
}

/**
 * The key of a node whose place in that layout another node has, as one of the same id and another version; and of a
 * version without nodes. Go finds it as well, because it asks for what begins with the service.
 */
export function ownKeyOf(prefix: string, record: ServiceRecord): string {
  const { name, version, nodes } = record;
  return `${keyOf(prefix, record)}/${[name, version, nodes[0]?.id ?? ''].map(encodeURIComponent).join('/')}`;
}

/** Whether both are the same node. */
export function isSameNode(a: ServiceRecord, b: ServiceRecord): boolean {
  return a.name === b.name && a.version === b.version && a.nodes[0]?.id === b.nodes[0]?.id;
}

/** What the keys of a service begin with. */
export function folderOf(prefix: string, name: string): string {
  return `${prefix}${name.replaceAll('/', '-')}/`;
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The text of a value; one that is empty is left out. */
function textOf({ value = '' }: KeyValue): string {
  return Buffer.from(value, 'base64').toString('utf8');
}

/** The record that a value is; `undefined` where it is none, or longer than `maxBytes`. */
export function recordOf(kv: KeyValue, maxBytes: number): ServiceRecord | undefined {
  return Buffer.byteLength(kv.value ?? '', 'base64') > maxBytes ? undefined : recordFromJson(textOf(kv));
}

/** Every key that begins with `prefix`, which ends with `/`. */
export function rangeOf(prefix: string): { readonly key: string; readonly range_end: string } {
  // `0` comes right after `/`.
  return { key: base64(prefix), range_end: base64(`${prefix.slice(0, -1)}0`) };
}
