import type { NodeRecord } from '@ts-micro/core';

/** A node that can be called, and the service and version that it runs. */
export interface Candidate {
  readonly service: string;
  readonly version: string;
  readonly node: NodeRecord;
}

/** The call that a node is chosen for. */
export interface SelectRequest {
  readonly service: string;
  readonly endpoint: string;
}

/** Told of every attempt at a node that its selector chose; must be quick, and not throw. */
export interface LoadObserver {
  /** An attempt begins. */
  began(address: string, endpoint: string): void;
  /** It is over after `elapsedMs`. Where it did not succeed, that says how long it took at least. */
  ended(address: string, endpoint: string, elapsedMs: number, hasSucceeded: boolean): void;
  /** The node is gone. */
  forget(address: string): void;
}

/**
 * Chooses one of `candidates`, of which there is at least one. Called for every attempt of every call: it must be
 * quick, and not wait.
 */
export interface SelectorStrategy {
  (candidates: readonly Candidate[], request: SelectRequest): Candidate;
  /** Tells the strategy about loads, where it goes by them. */
  readonly observer?: LoadObserver | undefined;
}

/** Chooses any node, each as likely as another. */
export function random(): SelectorStrategy {
  return (candidates) => candidates[Math.floor(Math.random() * candidates.length)] as Candidate;
}

/** Of longer lists a hash stands for the ids, as a thousand keys of ten thousand ids would be kept. */
const mostIds = 32;

function idsOf(candidates: readonly Candidate[]): readonly (string | number)[] {
  if (candidates.length <= mostIds) return candidates.map(({ node }) => node.id);
  let hash = 0;
  for (const { node } of candidates) {
    for (let index = 0; index < node.id.length; index++) hash = (Math.imul(hash, 31) + node.id.charCodeAt(index)) | 0;
  }
  return [candidates.length, hash];
}

/** How many kinds of candidate lists are told apart; beyond, all begin anew. */
const mostCursors = 1000;

/**
 * Chooses one node after the other, beginning anywhere: for each kind of call by itself, so that two kinds that
 * alternate each reach every node.
 */
export function roundRobin(): SelectorStrategy {
  const cursors = new Map<string, number>();
  // Most lists are the same object from call to call, which spares making the key.
  const keys = new WeakMap<readonly Candidate[], string>();
  return (candidates, { service, endpoint }) => {
    let key = keys.get(candidates);
    if (key === undefined) {
      key = [service, endpoint, ...idsOf(candidates)].join('\n');
      keys.set(candidates, key);
    }
    const cursor = cursors.get(key) ?? Math.floor(Math.random() * candidates.length);
    if (cursors.size >= mostCursors && !cursors.has(key)) cursors.clear();
    // Kept small, so that it stays a small integer in a client that lives for years.
    cursors.set(key, (cursor + 1) % 0x3fffffff);
    return candidates[cursor % candidates.length] as Candidate;
  };
}
