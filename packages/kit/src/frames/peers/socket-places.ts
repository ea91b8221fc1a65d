import type { AcceptedEnds, ListeningEnd } from './accepted-ends.ts';
import type { Clock } from './clock.ts';

/** How many at a time make room for others, so that a flood does not look for them again and again. */
const idleAtOnce = 1024;
const inUseAtOnce = 64;

/** How many peers may look for room in one tick. */
const looksInTick = 16;

/** The sockets that are to go so that another finds a place. */
export interface Leavers<End> {
  /** Those at rest: all that came is answered, and nothing came for a second. The idlest first. */
  readonly idle: readonly End[];
  /** Where none is at rest: some of a peer that has more than half of all places, and does not ask for more now. */
  readonly inUse: readonly End[];
}

const nobody: Leavers<never> = { idle: [], inUse: [] };

/** The places of a listener for sockets with a handler, and who leaves where all are taken. */
export class SocketPlaces<End extends ListeningEnd> {
  readonly #ends: AcceptedEnds<End>;
  readonly #clock: Clock;
  readonly #limit: number;
  /** Those that left their place to others, and whose handlers have not ended yet. */
  readonly #leaving = new Set<End>();
  readonly #looked = new Set<string>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(ends: AcceptedEnds<End>, clock: Clock, limit: number) {
    this.#ends = ends;
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Handlers that go on after their socket has left must not become more and more. */
  get isFull(): boolean {
    const leaving = this.#leaving.size;
    return this.#ends.running.size - leaving >= this.#limit || leaving >= this.#limit;
  }

  /** Returns who is to leave for a new socket of this peer; nobody, where the peer looked in this tick. */
  leaversFor(peer: string): Leavers<End> {
    if (!this.#mayLook(peer)) return nobody;
    const idle = this.#idle();
    const leavers = { idle, inUse: idle.length > 0 ? [] : this.#ofGreedy(peer) };
    for (const end of [...idle, ...leavers.inUse]) if (this.#ends.running.has(end)) this.#leaving.add(end);
    return leavers;
  }

  /** The handler of a socket has ended. */
  ended(end: End): void {
    this.#ends.running.delete(end);
    this.#leaving.delete(end);
  }

  #mayLook(peer: string): boolean {
    if (this.#lookedAt !== this.#clock.now) this.#looked.clear();
    this.#lookedAt = this.#clock.now;
    if (this.#looked.has(peer) || this.#looked.size >= looksInTick) return false;
    this.#looked.add(peer);
    return true;
  }

  #idle(): readonly End[] {
    const before = this.#clock.now - this.#clock.second;
    const idle = [...this.#ends.known].filter((end) => end.isAtRest && end.lastActive < before);
    return idle.sort(byIdleness).slice(0, idleAtOnce);
  }

  #ofGreedy(peer: string): readonly End[] {
    const byPeer = new Map<string, End[]>();
    for (const end of this.#ends.known) {
      if (!this.#ends.running.has(end)) continue;
      const own = byPeer.get(end.dialling.name);
      if (own === undefined) byPeer.set(end.dialling.name, [end]);
      else own.push(end);
    }
    for (const [other, ends] of byPeer) {
      const beyond = ends.length - Math.floor(this.#limit / 2);
      if (other !== peer && beyond > 0) return ends.sort(byIdleness).slice(0, Math.min(beyond, inUseAtOnce));
    }
    return [];
  }
}

function byIdleness(one: ListeningEnd, other: ListeningEnd): number {
  return one.lastActive - other.lastActive;
}
