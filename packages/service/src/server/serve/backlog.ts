import { type PeerQueue, PeerQueues } from '@ts-micro/kit';
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
  readonly #waiting = new PeerQueues<WaitingRequest>(({ bytes }) => bytes);
  #isOverloaded = false;

  /** Holds at most `limit`, and `limitBytes`, which the last one may pass. */
  constructor(limit: number, limitBytes: number) {
    this.#limit = limit;
    this.#limitBytes = limitBytes;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Bytes of those that wait. */
  get bytes(): number {
    return this.#waiting.bytes;
  }

  /** Takes one in; false where too many wait already; of those that only wait for their turn, many more may. */
  push(request: WaitingRequest, isForTurn: boolean): boolean {
    if (this.#isOverloaded) this.#shed(request.peer);
    const limit = isForTurn ? this.#limit + mostForTurn : this.#limit;
    while (this.size >= limit || this.bytes >= this.#limitBytes) if (!this.#makeRoom(request)) return false;
    this.#waiting.push(request.peer, request);
    return true;
  }

  /** Takes the one that is to run now out: the next for which there is room. */
  take(hasRoom: (bodyBytes: number) => boolean): WaitingRequest | undefined {
    for (;;) {
      const peer = this.#next(hasRoom);
      if (peer === undefined) return undefined;
      this.#waiting.endTurn(peer);
      const request = this.#waiting.take(peer, this.#isOverloaded ? 'newest' : 'oldest');
      const { isAborted, spent } = request.context;
      if (!isAborted && spent < 1) return request;
      // A caller that left long before its time says nothing about the load.
      if (spent >= tooMuchSpent) this.#isOverloaded = true;
      request.refuse('too late');
    }
  }

  /** Refuses everything that waits. */
  refuseAll(): void {
    for (let next = this.#waiting.next; next !== undefined; next = this.#waiting.next)
      this.#waiting.take(next.peer).refuse('overloaded');
  }

  /** Who is next; a peer that wants more than there is room for waits behind itself alone. */
  #next(hasRoom: (bodyBytes: number) => boolean): string | undefined {
    if (this.size === 0) this.#isOverloaded = false;
    for (const queue of this.#waiting) {
      const { context, bodyBytes } = this.#isOverloaded ? queue.peekNewest() : queue.peek();
      // Nobody waits any more for what is over.
      if (hasRoom(bodyBytes) || context.isAborted || context.spent >= 1) return queue.peer;
    }
    return undefined;
  }

  /** Refuses what waited too long: of this peer, and of the one whose turn it is. */
  #shed(peer: string): void {
    this.#shedOf(peer);
    const next = this.#waiting.next;
    if (next !== undefined && next.peer !== peer) this.#shedOf(next.peer);
  }

  #shedOf(peer: string): void {
    for (let queue = this.#waiting.of(peer); queue !== undefined; queue = this.#waiting.of(peer)) {
      const { isAborted, spent } = queue.peek().context;
      if (!isAborted && spent < tooMuchSpent) return;
      this.#waiting.take(peer).refuse(spent < 1 ? 'overloaded' : 'too late');
    }
  }

  /** Refuses one request so that this one gets a place; false where the new one is to be refused. */
  #makeRoom({ peer, bytes }: WaitingRequest): boolean {
    const by = this.bytes >= this.#limitBytes ? 'bytes' : 'size';
    const most = this.#waiting.largest(by);
    if (most === undefined) return false;
    const own: PeerQueue<WaitingRequest> | undefined = this.#waiting.of(peer);
    const isUnfair = most[by] > (own?.[by] ?? 0) + (by === 'bytes' ? bytes : 1);
    if (!isUnfair && !this.#isOverloaded) return false;
    const from = isUnfair || own === undefined ? most : own;
    this.#waiting.take(from.peer, this.#isOverloaded ? 'oldest' : 'newest').refuse('overloaded');
    return true;
  }
}
