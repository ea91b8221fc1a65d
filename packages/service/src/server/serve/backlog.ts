import { Fifo } from '@ts-micro/kit';
import type { HandlerContext } from './handler-context.ts';

/** Why a request that waited for room is refused. */
export type Refusal = 'overloaded' | 'too late';

/** A request that waits for room. */
export interface WaitingRequest {
  readonly context: Pick<HandlerContext, 'isAborted' | 'spent'>;
  /** Who asks. */
  readonly peer: string;
  run(): void;
  /** It will not run. */
  refuse(why: Refusal): void;
}

/** A request that has waited for this share of its time will probably not be served in time under overload. */
const tooMuchSpent = 0.5;

/**
 * The most that may wait for their turn alone, beside those that wait for room: a peer that asks without end and waits
 * without end must not fill the memory.
 */
const mostForTurn = 65_536;

/**
 * The requests that wait for room: each peer has its turn, and its own requests go in the order of arrival.
 *
 * So whoever asks for much waits behind itself alone, and where too many wait, the peer with most of them gives way.
 *
 * Once a request has waited in vain, its caller's time being over, the node is offered more than it can do, and
 * whoever waits longest is the least worth serving: the newest go first until nobody waits any more. Those that have
 * spent half of their time are refused as others come, so that their callers hear of it in time, and so is the oldest
 * where too many wait. So most answers come in time however long the overload lasts, and what cannot be served costs
 * no more than an answer.
 */
export class Backlog {
  readonly #limit: number;
  /** The requests of each peer that has any, in the order of their turns. */
  readonly #queues = new Map<string, Fifo<WaitingRequest>>();
  #size = 0;
  #isOverloaded = false;

  /** Holds at most `limit`. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /** Takes one in; false where too many wait already; of those that only wait for their turn, many more may. */
  push(request: WaitingRequest, isForTurn: boolean): boolean {
    if (this.#isOverloaded) this.#shed(request.peer);
    const limit = isForTurn ? this.#limit + mostForTurn : this.#limit;
    if (this.#size >= limit && !this.#makeRoom(request.peer)) return false;
    let queue = this.#queues.get(request.peer);
    if (queue === undefined) {
      queue = new Fifo();
      this.#queues.set(request.peer, queue);
    }
    queue.push(request);
    this.#size++;
    return true;
  }

  /** Takes the one that is to run now out. */
  take(): WaitingRequest | undefined {
    for (;;) {
      const [first] = this.#queues;
      if (first === undefined) {
        this.#isOverloaded = false;
        return undefined;
      }
      const [peer, queue] = first;
      // Its next turn comes after those of the others.
      if (this.#queues.size > 1) {
        this.#queues.delete(peer);
        this.#queues.set(peer, queue);
      }
      const request = this.#remove(peer, queue, this.#isOverloaded ? 'newest' : 'oldest');
      const { isAborted, spent } = request.context;
      if (!isAborted && spent < 1) return request;
      // A caller that left long before its time says nothing about the load.
      if (spent >= tooMuchSpent) this.#isOverloaded = true;
      request.refuse('too late');
    }
  }

  /** Refuses everything that waits. */
  refuseAll(): void {
    for (const [peer, queue] of this.#queues)
      while (queue.size > 0) this.#remove(peer, queue, 'oldest').refuse('overloaded');
  }

  /** Refuses what waited too long: of this peer, and of the one whose turn it is. */
  #shed(peer: string): void {
    const own = this.#queues.get(peer);
    if (own !== undefined) this.#shedOf(peer, own);
    const [first] = this.#queues;
    if (first !== undefined && first[0] !== peer) this.#shedOf(...first);
  }

  #shedOf(peer: string, queue: Fifo<WaitingRequest>): void {
    for (let oldest = queue.peek(); oldest !== undefined; oldest = queue.peek()) {
      const { isAborted, spent } = oldest.context;
      if (!isAborted && spent < tooMuchSpent) return;
      this.#remove(peer, queue, 'oldest').refuse(spent < 1 ? 'overloaded' : 'too late');
    }
  }

  /** Refuses one request so that this peer gets a place; false where the new one is to be refused. */
  #makeRoom(peer: string): boolean {
    if (this.#size === 0) return false;
    const own = this.#queues.get(peer);
    let most: readonly [string, Fifo<WaitingRequest>] = [peer, own ?? new Fifo()];
    for (const entry of this.#queues) if (entry[1].size > most[1].size) most = entry;
    const isUnfair = most[1].size > (own?.size ?? 0) + 1;
    if (!isUnfair && !this.#isOverloaded) return false;
    const [from, queue] = isUnfair || own === undefined ? most : [peer, own];
    this.#remove(from, queue, this.#isOverloaded ? 'oldest' : 'newest').refuse('overloaded');
    return true;
  }

  #remove(peer: string, queue: Fifo<WaitingRequest>, which: 'oldest' | 'newest'): WaitingRequest {
    const request = which === 'oldest' ? queue.take() : queue.takeNewest();
    this.#size--;
    if (queue.size === 0) this.#queues.delete(peer);
    // No queue without a request is kept.
    return request as WaitingRequest;
  }
}
