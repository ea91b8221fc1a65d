import { type EndpointRecord, MicroError, type NodeRecord, type ServiceRecord } from '@ts-micro/core';
import { nearest } from '@ts-micro/kit';
import { printable } from '../terminal/printable.ts';
import type { Session } from './session.ts';

/**
 * Returns the records of a service, sorted by version. Throws `not_found` that says which services there are, for an
 * unknown one and for an unknown version.
 */
export async function findService(session: Session, name: string, version?: string): Promise<readonly ServiceRecord[]> {
  const { registry } = session.plugins;
  const records = [...(await registry.getService(name, { signal: session.signal }))].sort(byVersion);
  if (records.length === 0) throw await unknownService(session, name);
  const wanted = version === undefined ? records : records.filter((record) => record.version === version);
  if (wanted.length > 0) return wanted;
  const versions = records.map((record) => record.version).join(', ');
  throw new MicroError('not_found', `the service "${name}" has no version "${version}"; it has ${printable(versions)}`);
}

/** Returns the records of one service, which must be there, or of all, sorted. */
export async function recordsOf(session: Session, service: string | undefined): Promise<readonly ServiceRecord[]> {
  if (service !== undefined) return findService(session, service);
  return [...(await session.plugins.registry.listServices({ signal: session.signal }))].sort(byVersion);
}

/** Returns the error of a service that nobody serves. */
async function unknownService(session: Session, name: string): Promise<MicroError> {
  const records = await session.plugins.registry.listServices({ signal: session.signal });
  const names = [...new Set(records.map((record) => record.name))].sort();
  return new MicroError('not_found', `no service is called "${name}"; ${suggestion(name, names, 'services')}`);
}

/**
 * Throws `not_found` where nodes say what they serve, and none of them names `endpoint`; it says which there are.
 * Endpoints of `Debug` are served and not told.
 */
export function checkEndpoint(service: string, records: readonly ServiceRecord[], endpoint: string): void {
  const names = [...new Set(records.flatMap((record) => record.endpoints.filter(isCallable).map((each) => each.name)))];
  if (names.length === 0 || names.includes(endpoint) || endpoint.startsWith('Debug.')) return;
  const why = suggestion(endpoint, names.sort(), 'endpoints');
  throw new MicroError('not_found', `the service "${service}" has no endpoint "${endpoint}"; ${why}`);
}

/** Returns the node with that id, or whose id begins so. Throws `not_found`, and `invalid` where several begin so. */
export function findNode(records: readonly ServiceRecord[], id: string): NodeRecord {
  const nodes = records.flatMap((record) => record.nodes);
  const found = nodes.filter((node) => node.id === id);
  // The empty text, as of a variable that is not set, is the beginning of all.
  const matching = found.length > 0 ? found : nodes.filter((node) => id !== '' && node.id.startsWith(id));
  const [first] = matching;
  const ids = printable((first === undefined ? nodes : matching).map((node) => node.id).join(', '));
  if (first === undefined) throw new MicroError('not_found', `no node is called "${id}"; there are ${ids || 'none'}`);
  if (matching.length > 1) throw new MicroError('invalid', `several nodes begin with "${id}": ${ids}`);
  return first;
}

/** False for what stands among the endpoints and is a subscriber. */
export function isCallable(endpoint: EndpointRecord): boolean {
  return endpoint.metadata.subscriber !== 'true';
}

export function byVersion(one: ServiceRecord, other: ServiceRecord): number {
  return compare(one.name, other.name) || compare(one.version, other.version);
}

function compare(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

function suggestion(wanted: string, names: readonly string[], kind: string): string {
  if (names.length === 0) return `there are no ${kind} at all`;
  const meant = nearest(wanted, names, Math.max(1, Math.floor(wanted.length / 3)));
  const shown = names.slice(0, 8).map(printable).join(', ');
  const more = names.length > 8 ? ` and ${names.length - 8} more` : '';
  return `${meant === undefined ? '' : `did you mean ${printable(meant)}? `}the ${kind} are: ${shown}${more}`;
}
