import { type Message, MicroError, topicMatcher } from '@ts-micro/core';
import { bytesOfMessage, type Delivery } from '@ts-micro/kit';
import { copyMessage } from '../copy-message.ts';

/** The part of a member that its queue uses. */
export interface DurableMember {
  /** How many more deliveries it takes now. */
  readonly room: number;
  push(delivery: Delivery): void;
}

/** What may wait in a queue. */
export interface QueueLimits {
  readonly messages: number;
  /** One message may go beyond. */
  readonly bytes: number;
}

interface Stored {
  readonly number: number;
  readonly topic: string;
  readonly message: Message;
  readyAt: number;
  deliveries: number;
}

/** Messages that wait for the members of a queue, in the order in which they were published. */
export class DurableQueue {
  readonly matches: (topic: string) => boolean;
  readonly #what: string;
  readonly #limits: QueueLimits;
  readonly #waiting: Stored[] = [];
  // In the order in which they come next.
  readonly #members = new Set<DurableMember>();
  #bytes = 0;
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(pattern: string, queue: string, limits: QueueLimits, who: string) {
    this.matches = topicMatcher(pattern, who);
    this.#what = `${who}: queue "${queue}" of ${pattern}`;
    this.#limits = limits;
  }

  /** Throws `unavailable` where it is full. */
  assertRoom(): void {
    const { messages, bytes } = this.#limits;
    if (this.#waiting.length < messages && this.#bytes < bytes) return;
    const most = this.#waiting.length < messages ? `${this.#bytes} bytes` : `${messages} messages`;
    throw new MicroError('unavailable', `${this.#what}: ${most} are waiting`, { retrySafe: true });
  }

  store(topic: string, message: Message): void {
    const stored = { number: ++this.#count, topic, message: copyMessage(message), readyAt: 0, deliveries: 0 };
    this.#waiting.push(stored);
    this.#bytes += bytesOfMessage(message);
    this.lend();
  }

  join(member: DurableMember): void {
    this.#members.add(member);
    this.lend();
  }

  leave(member: DurableMember): void {
    this.#members.delete(member);
    this.lend();
  }

  /** Gives what is ready to members with room, in turn. */
  lend(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.#waiting.length; ) {
      const member = this.#nextMember();
      if (member === undefined) return;
      const stored = this.#waiting[index] as Stored;
      if (stored.readyAt > now) {
        next = Math.min(next, stored.readyAt);
        index++;
        continue;
      }
      this.#waiting.splice(index, 1);
      this.#bytes -= bytesOfMessage(stored.message);
      this.#members.delete(member);
      this.#members.add(member);
      member.push(this.#deliveryOf(stored));
    }
    // Without a member nobody waits for it, and no timer is left behind.
    if (this.#members.size > 0 && next < Number.POSITIVE_INFINITY) {
      this.#timer = setTimeout(() => this.lend(), Math.ceil(next - now));
    }
  }

  #nextMember(): DurableMember | undefined {
    for (const member of this.#members) if (member.room > 0) return member;
    return undefined;
  }

  #deliveryOf(stored: Stored): Delivery {
    const delivery = ++stored.deliveries;
    return {
      event: () => ({ topic: stored.topic, message: copyMessage(stored.message), delivery }),
      done: () => {},
      again: (pauseMs) => {
        stored.readyAt = pauseMs === 0 ? 0 : performance.now() + pauseMs;
        const behind = this.#waiting.findIndex(({ number }) => number > stored.number);
        this.#bytes += bytesOfMessage(stored.message);
        this.#waiting.splice(behind === -1 ? this.#waiting.length : behind, 0, stored);
        queueMicrotask(() => this.lend());
      },
    };
  }
}
