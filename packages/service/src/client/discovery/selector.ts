import type { NodeRecord } from '@ts-micro/core';

/** A node that can be called, and the service and version that it runs. */
export interface Candidate {
  readonly service: string;
  readonly version: string;
  readonly node: NodeRecord;
}

/** What a node is being chosen for. */
export interface SelectRequest {
  readonly service: string;
  readonly endpoint: string;
}

/** Chooses one of `candidates`, of which there is at least one. Called for every attempt of every call: it must be quick, and not wait. */
export type SelectorStrategy = (candidates: readonly Candidate[], request: SelectRequest) => Candidate;

/** Chooses any node, each as likely as another. */
export function random(): SelectorStrategy {
  return (candidates) => candidates[Math.floor(Math.random() * candidates.length)] as Candidate;
}

/** Chooses one node after the other, for each service by itself, beginning anywhere. */
export function roundRobin(): SelectorStrategy {
  const cursors = new Map<string, number>();
  return (candidates, { service }) => {
    const cursor = cursors.get(service) ?? Math.floor(Math.random() * candidates.length);
    // Kept small, so that it stays a small integer in a client that lives for years.
    cursors.set(service, (cursor + 1) % 0x3fffffff);
    return candidates[cursor % candidates.length] as Candidate;
  };
}
