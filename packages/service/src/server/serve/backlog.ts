import { Fifo } from '@ts-micro/kit';
import type { HandlerContext } from './handler-context.ts';

/** Why a request that waited for room is refused. */
export type Refusal = 'overloaded' | 'too late';

/** A request that waits for room. */
export interface WaitingRequest {
  readonly context: Pick<HandlerContext, 'isAborted' | 'spent'>;
  run(): void;
  /** It will not run. */
  refuse(why: Refusal): void;
}

/** A request that has waited for this share of its time will probably not be served in time under overload. */
const tooMuchSpent = 0.5;

/**
 * The requests that wait for room, in the order of arrival.
 *
 * Once one of them has waited in vain, its caller's time being over, the node is offered more than it can do, and
 * whoever waits longest is the least worth serving: the newest go first until nobody waits any more. Those that have
 * spent half of their time are refused as others come, so that their callers hear of it in time, and so is the oldest
 * where too many wait. So most answers come in time however long the overload lasts, and what cannot be served costs
 * no more than an answer.
 */
export class Backlog {
  readonly #limit: number;
  readonly #waiting = new Fifo<WaitingRequest>();
  #isOverloaded = false;

  /** Holds at most `limit`. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Takes one in; false where too many wait already, unless it only waits for its turn. */
  push(request: WaitingRequest, isForTurn: boolean): boolean {
    if (this.#isOverloaded) this.#shed();
    if (!isForTurn && this.#waiting.size >= this.#limit) {
      if (!this.#isOverloaded || this.#limit === 0) return false;
      this.#waiting.take()?.refuse('overloaded');
    }
    this.#waiting.push(request);
    return true;
  }

  /** Takes the one that is to run now out. */
  take(): WaitingRequest | undefined {
    for (;;) {
      const request = this.#isOverloaded ? this.#waiting.takeNewest() : this.#waiting.take();
      if (request === undefined) {
        this.#isOverloaded = false;
        return undefined;
      }
      const { isAborted, spent } = request.context;
      if (!isAborted && spent < 1) return request;
      // A caller that left long before its time says nothing about the load.
      if (spent >= tooMuchSpent) this.#isOverloaded = true;
      request.refuse('too late');
    }
  }

  /** Refuses everything that waits. */
  refuseAll(): void {
    for (let next = this.#waiting.take(); next !== undefined; next = this.#waiting.take()) next.refuse('overloaded');
  }

  #shed(): void {
    for (;;) {
      const oldest = this.#waiting.peek();
      if (oldest === undefined) return;
      const { isAborted, spent } = oldest.context;
      if (!isAborted && spent < tooMuchSpent) return;
      this.#waiting.take();
      oldest.refuse(spent < 1 ? 'overloaded' : 'too late');
    }
  }
}
