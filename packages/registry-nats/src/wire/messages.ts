import { MicroError, type NodeRecord, type ServiceRecord } from '@ts-micro/core';
import { isSubject } from '@ts-micro/nats';
import { fieldOf, malformed, object, text } from './field.ts';
import { service } from './record-fields.ts';

/** An announcement of a peer on a watch subject. */
export interface Announcement {
  /** `create` and `delete` from Go Micro; others are possible there by option. */
  readonly action: string;
  readonly service: ServiceRecord;
  /** Nodes that nobody can call, because their address is no subject. They are not in `service`. */
  readonly undialable: readonly NodeRecord[];
}

/** A question of a peer: for every record, or for those of one name. */
export type Question = { readonly action: 'list' } | { readonly action: 'get'; readonly name: string };

/** The longest question that is read, in bytes: it has a name in it and nothing else. */
const longestQuestion = 65_536;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Reads a payload of a watch subject of at most `maxBytes`. Throws `malformed`. */
export function decodeAnnouncement(data: Uint8Array, maxBytes: number = Number.POSITIVE_INFINITY): Announcement {
  const read = parse(data, 'announcement', maxBytes);
  const action = text.decode(read('Action'), 'Action', 0);
  const record = service.decode(read('Service'), 'Service', 0);
  // A node that leaves needs no address.
  return action === 'delete' ? { action, service: record, undialable: [] } : { action, ...dialable(record) };
}

/** Reads a payload of a query subject; `undefined` for an action that nobody here knows. Throws `malformed`. */
export function decodeQuestion(data: Uint8Array): Question | undefined {
  const read = parse(data, 'question', longestQuestion);
  const action = read('Action');
  if (action === 'list') return { action };
  if (action !== 'get') return undefined;
  const asked = object(read('Service'), 'Service');
  return { action, name: text.decode(fieldOf(asked, Object.keys(asked), 'name'), 'name', 0) };
}

/** Reads a payload of a reply subject of at most `maxBytes`. Throws `malformed`. */
export function decodeAnswer(
  data: Uint8Array,
  maxBytes: number = Number.POSITIVE_INFINITY,
): Omit<Announcement, 'action'> {
  return dialable(service.decode(json(data, 'answer', maxBytes), 'answer', 0));
}

/** Writes what goes to the watch subjects when nodes join or renew. (Go Micro: a `Result` with action `create`.) */
export function encodeCreate(record: ServiceRecord): Uint8Array {
  const encoded = service.encode(record) as object;
  return encode({ Service: record.endpoints.length > 0 ? encoded : { ...encoded, endpoints: [] }, Action: 'create' });
}

/**
 * Writes what goes to the watch subjects when nodes leave. A Go peer takes a record without nodes for the whole
 * version.
 */
export function encodeDelete({ name, version, nodes }: ServiceRecord): Uint8Array {
  const leaving = nodes.map(({ id, address }) => ({ metadata: null, id, address }));
  return encode({ Service: bare(name, version, leaving.length > 0 ? leaving : null), Action: 'delete' });
}

/** Writes what goes to the reply subject of a query: the bare record. */
export function encodeAnswer(record: ServiceRecord): Uint8Array {
  return encode(service.encode(record));
}

/** Asks who hosts `name`. */
export function encodeGet(name: string): Uint8Array {
  return encode({ Service: bare(name, '', null), Action: 'get' });
}

/** Asks for every record. */
export function encodeList(): Uint8Array {
  return encode({ Service: null, Action: 'list' });
}

function bare(name: string, version: string, nodes: readonly object[] | null): object {
  return { name, version, metadata: null, endpoints: null, nodes };
}

function encode(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

function json(data: Uint8Array, what: string, maxBytes: number): unknown {
  if (data.length > maxBytes) throw malformed(what, `is ${data.length} bytes, more than ${maxBytes}`);
  try {
    return JSON.parse(decoder.decode(data));
  } catch {
    // Without the parser's error, which quotes the bytes: this one gets logged.
    throw new MicroError('malformed', `nats registry: ${what}: it is not JSON`);
  }
}

function parse(data: Uint8Array, what: string, maxBytes: number): (key: string) => unknown {
  const result = object(json(data, what, maxBytes), what);
  const keys = Object.keys(result);
  return (key) => fieldOf(result, keys, key);
}

function dialable(record: ServiceRecord): Omit<Announcement, 'action'> {
  const nodes: NodeRecord[] = [];
  const undialable: NodeRecord[] = [];
  for (const node of record.nodes) (isSubject(node.address) ? nodes : undialable).push(node);
  return { service: undialable.length > 0 ? { ...record, nodes } : record, undialable };
}
