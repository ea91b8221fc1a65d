import { MicroError, type NodeRecord, type ServiceRecord } from '@ts-micro/core';
import { ignoreRejection } from '@ts-micro/kit';
import type { Candidate } from './selector.ts';

/** Which nodes of a service a call may go to. */
export interface NodeFilter {
  /** Only nodes of this version. */
  readonly version?: string | undefined;
  /** Only nodes whose metadata has all of these. */
  readonly label?: readonly [name: string, value: string] | Readonly<Record<string, string>> | undefined;
  /** Only nodes that this accepts; must be quick, and not wait. */
  readonly where?: ((candidate: Candidate) => boolean) | undefined;
}

/** The nodes of a service as the registry knew them at one moment, and for each endpoint those that can be called. */
export class ServiceView {
  readonly service: string;
  readonly records: readonly ServiceRecord[];
  /** False where the registry was asked for a first usable answer only. */
  readonly isComplete: boolean;
  readonly hasNodes: boolean;
  readonly #transport: string;
  // By endpoint and version, both the caller's words: bounded, and started over when full.
  #known = new Map<string, readonly Candidate[]>();

  /** `transport` names the transport the nodes are to be called through. */
  constructor(service: string, records: readonly ServiceRecord[], isComplete: boolean, transport: string) {
    this.service = service;
    this.records = records;
    this.isComplete = isComplete;
    this.hasNodes = records.some((record) => record.nodes.length > 0);
    this.#transport = transport;
  }

  /** False where the nodes that were not asked yet may be the ones that a call of `endpoint` wants. */
  suffices(endpoint: string): boolean {
    return this.isComplete || advertising(this.records, endpoint).length > 0;
  }

  /**
   * The nodes that can be called, frozen. Where any of them advertises `endpoint`, only those that do: else all, since
   * a server need not advertise everything it answers.
   */
  candidates(endpoint: string, filter: NodeFilter = {}): readonly Candidate[] {
    const candidates = this.#ofEndpoint(endpoint, filter.version);
    const { label, where } = filter;
    if (label === undefined && where === undefined) return candidates;
    const labels = label === undefined ? [] : isPair(label) ? [label] : Object.entries(label);
    return candidates.filter(
      (candidate) =>
        labels.every(([name, value]) => candidate.node.metadata[name] === value) &&
        (where === undefined || isAccepted(where, candidate)),
    );
  }

  /**
   * Says why `candidates` is empty: `not_found` for a service or version that is not there, `unavailable` for nodes
   * that cannot be used.
   */
  explainNone(filter: NodeFilter = {}): MicroError {
    const { service, records } = this;
    if (records.length === 0) return none('not_found', `service "${service}" is not known to the registry`);
    const nodes = this.#nodes(filter.version);
    if (
      nodes.length === 0 &&
      filter.version !== undefined &&
      !records.some(({ version }) => version === filter.version)
    ) {
      const versions = records.map(({ version }) => `"${version}"`).join(', ');
      return none('not_found', `service "${service}" has no version "${filter.version}" (known: ${versions})`);
    }
    if (nodes.length === 0) return none('unavailable', `service "${service}" has no node`);
    const usable = nodes.filter((node) => canCall(node, this.#transport)).length;
    return usable === 0
      ? none(
          'unavailable',
          `service "${service}" has no node on transport "${this.#transport}" (${nodes.length} on others)`,
        )
      : none('unavailable', `service "${service}" has no node that the call's filter accepts (of ${usable})`);
  }

  #ofEndpoint(endpoint: string, version: string | undefined): readonly Candidate[] {
    const key = version === undefined ? endpoint : `${endpoint}\n${version}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const records = this.records.filter((record) => version === undefined || record.version === version);
    let candidates = this.#candidatesOf(advertising(records, endpoint));
    if (candidates.length === 0) candidates = this.#candidatesOf(records);
    if (this.#known.size >= 1000) this.#known.clear();
    this.#known.set(key, candidates);
    return candidates;
  }

  // Selectors and filters of users see them, and so do all later calls: none may change them.
  #candidatesOf(records: readonly ServiceRecord[]): readonly Candidate[] {
    const candidates = records.flatMap((record) =>
      record.nodes
        .filter((node) => canCall(node, this.#transport))
        .map((node) => Object.freeze({ service: this.service, version: record.version, node: frozen(node) })),
    );
    return Object.freeze(candidates);
  }

  #nodes(version: string | undefined): readonly NodeRecord[] {
    return this.records.flatMap((record) => (version === undefined || record.version === version ? record.nodes : []));
  }
}

function isPair(label: NonNullable<NodeFilter['label']>): label is readonly [string, string] {
  return Array.isArray(label);
}

/** A filter is the user's: it may throw, and one that is `async` would accept every node. */
function isAccepted(where: NonNullable<NodeFilter['where']>, candidate: Candidate): boolean {
  let accepts: unknown;
  try {
    accepts = where(candidate);
  } catch (error) {
    throw MicroError.from(error, 'invalid', `client: the option where of a call of "${candidate.service}" failed`);
  }
  if (typeof accepts !== 'object' || accepts === null) return Boolean(accepts);
  ignoreRejection(accepts);
  throw new MicroError('invalid', `client: the option where of a call of "${candidate.service}" gave no boolean`);
}

function advertising(records: readonly ServiceRecord[], endpoint: string): readonly ServiceRecord[] {
  return records.filter(({ endpoints }) =>
    endpoints.some(({ name, metadata }) => name === endpoint && metadata.subscriber !== 'true'),
  );
}

// Nodes of every transport share a registry: gRPC servers of Go Micro, for one, which say so in either key.
function canCall({ metadata }: NodeRecord, transport: string): boolean {
  return (!metadata.transport || metadata.transport === transport) && metadata.protocol !== 'grpc';
}

/** The registry's answers are copies, so it is the cache's own. */
function frozen(node: NodeRecord): NodeRecord {
  Object.freeze(node.metadata);
  return Object.freeze(node);
}

function none(code: 'not_found' | 'unavailable', what: string): MicroError {
  return new MicroError(code, `client: ${what}`, { retrySafe: true });
}
