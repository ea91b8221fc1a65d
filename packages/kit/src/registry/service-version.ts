import type { NodeRecord, ServiceRecord } from '@ts-micro/core';
import { deepEqual } from './deep-equal.ts';
import type { Expiring } from './expiry-heap.ts';
import { factsBytes } from './record-size.ts';

/** Everything of a record but its nodes. Nodes that were put with the same facts share one. */
export interface Facts {
  readonly metadata: ServiceRecord['metadata'];
  readonly endpoints: ServiceRecord['endpoints'];
  readonly bytes: number;
  /** How many nodes of the table have them. */
  holders: number;
}

/** One node with its lease; or, without `node`, a version that was put without nodes. */
export interface LeasedNode extends Expiring {
  readonly id: string;
  readonly version: ServiceVersion;
  readonly node: NodeRecord | undefined;
  readonly facts: Facts;
  /** Grows with every change: the facts of the node with the highest are those of the version. */
  readonly changedAt: number;
  readonly bytes: number;
  ttlMs: number;
  isGuess: boolean;
  owner: object;
}

/** One version of a service: its nodes by id, under `''` the version itself where it was put without nodes. */
export class ServiceVersion {
  readonly name: string;
  readonly version: string;
  readonly nodes: Map<string, LeasedNode> = new Map();
  #speaker: LeasedNode | undefined;
  #record: ServiceRecord | undefined;

  constructor({ name, version }: Pick<ServiceRecord, 'name' | 'version'>) {
    this.name = name;
    this.version = version;
  }

  /** The facts of the node that changed last; `undefined` where there is no node. */
  get facts(): Facts | undefined {
    if (this.#speaker === undefined) {
      for (const node of this.nodes.values())
        if (node.changedAt > (this.#speaker?.changedAt ?? -1)) this.#speaker = node;
    }
    return this.#speaker?.facts;
  }

  /** All of it as one record, the same object until something changes. Nobody may write into it. */
  get record(): ServiceRecord {
    this.#record ??= this.recordOf(this.nodes.values());
    return this.#record;
  }

  /** A record of some of its nodes. */
  recordOf(nodes: Iterable<LeasedNode>): ServiceRecord {
    const { metadata = {}, endpoints = [] } = this.facts ?? {};
    const { name, version } = this;
    return { name, version, metadata, endpoints, nodes: Array.from(nodes).flatMap(({ node }) => node ?? []) };
  }

  /** The facts of `record`: those the version has where they are the same. */
  factsOf(record: ServiceRecord): Facts {
    const { metadata, endpoints } = record;
    const facts = { metadata, endpoints, bytes: factsBytes(record), holders: 0 };
    return this.facts && isSame(this.facts, facts) ? this.facts : facts;
  }

  /** Adds a node, or puts it in the place of the one with its id. */
  set(node: LeasedNode): void {
    this.nodes.set(node.id, node);
    this.#speaker = node;
    this.#record = undefined;
  }

  delete(node: LeasedNode): void {
    this.nodes.delete(node.id);
    if (this.#speaker === node) this.#speaker = undefined;
    this.#record = undefined;
  }
}

/** Compares facts, each pair once: many nodes share them, and facts can be long. */
export function factsComparison(facts: Facts): (other: Facts) => boolean {
  const compared = new Map([[facts, true]]);
  return (other) => {
    const known = compared.get(other) ?? isSame(facts, other);
    compared.set(other, known);
    return known;
  };
}

function isSame(a: Facts, b: Facts): boolean {
  return a.bytes === b.bytes && deepEqual(a.metadata, b.metadata) && deepEqual(a.endpoints, b.endpoints);
}
