import { MicroError } from '@ts-micro/core';
import { ignoreRejection } from '@ts-micro/kit';
import type { PendingCall } from '../call/pending-call.ts';
import type { OutlierEjection } from '../retry/outlier-ejection.ts';
import type { RegistryCache } from './registry-cache.ts';
import type { Candidate, SelectorStrategy } from './selector.ts';
import type { ServiceView } from './service-view.ts';

/**
 * Chooses the node for each attempt of a call: known to the registry, accepted by the call's filter, not failing, not
 * tried before.
 */
export class NodeChooser {
  readonly #cache: RegistryCache | undefined;
  readonly #ejection: OutlierEjection;
  readonly #select: SelectorStrategy;
  readonly #hasAnswered: (address: string) => boolean;

  /** `hasAnswered` is true for an address that answered, and that did not fail since. */
  constructor(
    cache: RegistryCache | undefined,
    ejection: OutlierEjection,
    select: SelectorStrategy,
    hasAnswered: (address: string) => boolean = () => false,
  ) {
    this.#cache = cache;
    this.#ejection = ejection;
    this.#select = select;
    this.#hasAnswered = hasAnswered;
  }

  /** A node out of what is known already; `undefined` where the registry must be asked. */
  chooseNow(call: PendingCall, nowMs: number): Candidate | undefined {
    const address = call.options?.address;
    if (address !== undefined) return addressed(call.service, address);
    const view = this.#cache?.peek(call.service, nowMs);
    return view?.suffices(call.endpoint) ? this.#chooseFrom(view, call, nowMs) : undefined;
  }

  /**
   * A node after asking the registry. Errors: `not_found` for an unknown service or version; `unavailable` where none
   * can be used or the registry cannot be asked.
   */
  async choose(call: PendingCall, nowMs: number): Promise<Candidate> {
    const cache = this.#cache;
    if (cache === undefined)
      throw new MicroError('unsupported', `${call.what}: without a registry a call needs an address`);
    let view = await cache.lookup(call.service);
    let chosen = view.suffices(call.endpoint) ? this.#chooseFrom(view, call, nowMs) : undefined;
    if (chosen === undefined) {
      view = await cache.complete(call.service);
      chosen = this.#chooseFrom(view, call, nowMs);
    }
    if (chosen === undefined) throw view.explainNone(call.options);
    return chosen;
  }

  /** True where a node is known that this call has not tried and that does not fail. */
  hasFresh(call: PendingCall, nowMs: number): boolean {
    if (call.options?.address !== undefined) return false;
    const candidates = this.#cache?.peek(call.service, nowMs)?.candidates(call.endpoint, call.options);
    return candidates?.some((candidate) => this.#isFresh(candidate, call, nowMs)) ?? false;
  }

  #chooseFrom(view: ServiceView, call: PendingCall, nowMs: number): Candidate | undefined {
    let candidates = view.candidates(call.endpoint, call.options);
    if (candidates.length === 0) return undefined;
    const isTroubled = this.#ejection.isInUse(nowMs);
    let chosen: Candidate | undefined;
    if (isTroubled && call.tried === undefined && candidates.length > manyNodes)
      chosen = this.#pickFresh(candidates, call, nowMs);
    if (chosen === undefined) {
      if (isTroubled || call.tried !== undefined) candidates = this.#best(candidates, call, nowMs);
      chosen = this.#pick(candidates, call);
    }
    if (isTroubled) this.#ejection.tries(chosen.node.address, nowMs);
    return chosen;
  }

  #pick(candidates: readonly Candidate[], call: PendingCall): Candidate {
    const chosen: unknown = this.#select(candidates, call);
    if (isCandidate(chosen)) return chosen;
    ignoreRejection(chosen);
    throw new MicroError('invalid', `${call.what}: the selector chose no node`);
  }

  /** Looks for a fresh one without going through all of them; `undefined` where it is not lucky. */
  #pickFresh(candidates: readonly Candidate[], call: PendingCall, nowMs: number): Candidate | undefined {
    for (let tries = 0; tries < 4; tries++) {
      const chosen = this.#pick(candidates, call);
      if (this.#isFresh(chosen, call, nowMs)) return chosen;
    }
    return undefined;
  }

  /**
   * The fresh ones, of which a call that failed goes to one that has answered before: where somebody announced nodes
   * that nobody can call, looking on among them could take for ever. Else the one that failed the longest ago, an
   * untried one first: trying is better than failing without.
   */
  #best(candidates: readonly Candidate[], call: PendingCall, nowMs: number): readonly Candidate[] {
    const fresh = candidates.filter((candidate) => this.#isFresh(candidate, call, nowMs));
    if (fresh.length > 0) {
      const proven = call.tried === undefined ? [] : fresh.filter(({ node }) => this.#hasAnswered(node.address));
      return proven.length > 0 ? proven : fresh;
    }
    const untried = candidates.filter(({ node }) => !call.tried?.includes(node.address));
    const oldest = (untried.length > 0 ? untried : candidates).reduce((one, other) =>
      this.#ejection.failedAtMs(other.node.address) < this.#ejection.failedAtMs(one.node.address) ? other : one,
    );
    return [oldest];
  }

  #isFresh({ node }: Candidate, call: PendingCall, nowMs: number): boolean {
    return !this.#ejection.isOut(node.address, nowMs) && !call.tried?.includes(node.address);
  }
}

/** So many nodes are not looked at one by one for each call while one of them fails. */
const manyNodes = 100;

/** A selector is the user's: it may give anything. */
function isCandidate(chosen: unknown): chosen is Candidate {
  return typeof (chosen as Partial<Candidate> | null | undefined)?.node?.address === 'string';
}

/** An address that the caller knows stands for a node of today's protocol, about which nothing else is known. */
function addressed(service: string, address: string): Candidate {
  return { service, version: '', node: { id: address, address, metadata: { protocol: 'mucp' } } };
}
