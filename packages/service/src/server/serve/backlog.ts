import { Fifo } from '@ts-micro/kit';
import type { HandlerContext } from './handler-context.ts';

/** Why a request that waited for room is refused. */
export type Refusal = 'overloaded' | 'too late';

/** A request that waits for room. */
export interface WaitingRequest {
  readonly context: Pick<HandlerContext, 'isAborted' | 'spent'>;
  /** Who asks. */
  readonly peer: string;
  /** Bytes of its body, and about those that it keeps in all. */
  readonly bodyBytes: number;
  readonly bytes: number;
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

/** The requests of one peer. */
class Queue {
  readonly requests = new Fifo<WaitingRequest>();
  bytes = 0;

  get size(): number {
    return this.requests.size;
  }
}

/**
 * The requests that wait for room: each peer has its turn, and its own requests go in the order of arrival.
 *
 * So whoever asks for much waits behind itself alone, and where too many wait, or too many bytes, the peer with most of
 * them gives way.
 *
 * Once a request has waited in vain, its caller's time being over, the node is offered more than it can do, and
 * whoever waits longest is the least worth serving: the newest go first until nobody waits any more. Those that have
 * spent half of their time are refused as others come, so that their callers hear of it in time, and so is the oldest
 * where too many wait. So most answers come in time however long the overload lasts, and what cannot be served costs
 * no more than an answer.
 */
export class Backlog {
  readonly #limit: number;
  readonly #limitBytes: number;
  /** The requests of each peer that has any, in the order of their turns. */
  readonly #queues = new Map<string, Queue>();
  #size = 0;
  #bytes = 0;
  #isOverloaded = false;

  /** Holds at most `limit`, and `limitBytes`, which the last one may pass. */
  constructor(limit: number, limitBytes: number) {
    this.#limit = limit;
    this.#limitBytes = limitBytes;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes of those that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes one in; false where too many wait already; of those that only wait for their turn, many more may. */
  push(request: WaitingRequest, isForTurn: boolean): boolean {
    if (this.#isOverloaded) this.#shed(request.peer);
    const limit = isForTurn ? this.#limit + mostForTurn : this.#limit;
    while (this.#size >= limit || this.#bytes >= this.#limitBytes) if (!this.#makeRoom(request)) return false;
    let queue = this.#queues.get(request.peer);
    if (queue === undefined) {
      queue = new Queue();
      this.#queues.set(request.peer, queue);
    }
    queue.requests.push(request);
    queue.bytes += request.bytes;
    this.#size++;
    this.#bytes += request.bytes;
    return true;
  }

  /** Takes the one that is to run now out: the next for which there is room. */
  take(hasRoom: (bodyBytes: number) => boolean): WaitingRequest | undefined {
    for (;;) {
      const next = this.#next(hasRoom);
      if (next === undefined) return undefined;
      const [peer, queue] = next;
      // Its next turn comes after those of the others.
      if (this.#queues.size > 1) {
        this.#queues.delete(peer);
        this.#queues.set(peer, queue);
      }
      const request = this.#remove(peer, queue, this.#order);
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

  get #order(): 'oldest' | 'newest' {
    return this.#isOverloaded ? 'newest' : 'oldest';
  }

  /** Who is next; a peer that wants more than there is room for waits behind itself alone. */
  #next(hasRoom: (bodyBytes: number) => boolean): [string, Queue] | undefined {
    if (this.#size === 0) this.#isOverloaded = false;
    for (const entry of this.#queues) {
      const { requests } = entry[1];
      const request = this.#isOverloaded ? requests.peekNewest() : requests.peek();
      if (request === undefined || hasRoom(request.bodyBytes)) return entry;
      // Nobody waits for it any more.
      if (request.context.isAborted || request.context.spent >= 1) return entry;
    }
    return undefined;
  }

  /** Refuses what waited too long: of this peer, and of the one whose turn it is. */
  #shed(peer: string): void {
    const own = this.#queues.get(peer);
    if (own !== undefined) this.#shedOf(peer, own);
    const [first] = this.#queues;
    if (first !== undefined && first[0] !== peer) this.#shedOf(...first);
  }

  #shedOf(peer: string, queue: Queue): void {
    const { requests } = queue;
    for (let oldest = requests.peek(); oldest !== undefined; oldest = requests.peek()) {
      const { isAborted, spent } = oldest.context;
      if (!isAborted && spent < tooMuchSpent) return;
      this.#remove(peer, queue, 'oldest').refuse(spent < 1 ? 'overloaded' : 'too late');
    }
  }

  /** Refuses one request so that this one gets a place; false where the new one is to be refused. */
  #makeRoom({ peer, bytes }: WaitingRequest): boolean {
    if (this.#size === 0) return false;
    const isAboutBytes = this.#bytes >= this.#limitBytes;
    const weightOf = (queue: Queue) => (isAboutBytes ? queue.bytes : queue.size);
    const own = this.#queues.get(peer);
    let most: readonly [string, Queue] = [peer, own ?? new Queue()];
    for (const entry of this.#queues) if (weightOf(entry[1]) > weightOf(most[1])) most = entry;
    const isUnfair = weightOf(most[1]) > (own ? weightOf(own) : 0) + (isAboutBytes ? bytes : 1);
    if (!isUnfair && !this.#isOverloaded) return false;
    const [from, queue] = isUnfair || own === undefined ? most : [peer, own];
    this.#remove(from, queue, this.#isOverloaded ? 'oldest' : 'newest').refuse('overloaded');
    return true;
  }

  #remove(peer: string, queue: Queue, which: 'oldest' | 'newest'): WaitingRequest {
    // No queue without a request is kept.
    const request = (which === 'oldest' ? queue.requests.take() : queue.requests.takeNewest()) as WaitingRequest;
    this.#size--;
    this.#bytes -= request.bytes;
    queue.bytes -= request.bytes;
    if (queue.size === 0) this.#queues.delete(peer);
    return request;
  }
}
