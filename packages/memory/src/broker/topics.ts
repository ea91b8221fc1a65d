import type { Message } from '@ts-micro/core';
import { copyMessage } from '../copy-message.ts';
import { DurableQueue, type QueueLimits } from './durable-queue.ts';
import type { MemorySubscriber } from './memory-subscriber.ts';

// Bounded, so that made-up ids cannot grow it.
const maxIds = 10_000;

/** The subscribers and durable queues of a network. */
export class Topics {
  // In the order in which the members of a queue come next.
  readonly #subscribers = new Set<MemorySubscriber>();
  /** By queue and topic. They stay when their members leave. */
  readonly #durableQueues = new Map<string, DurableQueue>();
  readonly #ids = new Set<string>();

  add(subscriber: MemorySubscriber): void {
    this.#subscribers.add(subscriber);
  }

  delete(subscriber: MemorySubscriber): void {
    this.#subscribers.delete(subscriber);
  }

  /** Returns the durable queue of this name on this topic; it begins now unless it is there. Throws `invalid`. */
  durableQueue(topic: string, queue: string, limits: QueueLimits): DurableQueue {
    const key = `${queue} ${topic}`;
    let durableQueue = this.#durableQueues.get(key);
    if (durableQueue === undefined) {
      durableQueue = new DurableQueue(topic, queue, limits, 'memory broker');
      this.#durableQueues.set(key, durableQueue);
    }
    return durableQueue;
  }

  /**
   * Gives every subscriber a copy of its own, and one member of each queue, in turn; stores it in durable ones. Does
   * nothing where a message of this id was delivered. Throws `unavailable` where a durable queue is full.
   */
  deliver(topic: string, message: Message, id?: string): void {
    if (id !== undefined && this.#ids.has(id)) return;
    const durable = [...this.#durableQueues.values()].filter((queue) => queue.matches(topic));
    for (const queue of durable) queue.assertRoom();
    if (id !== undefined) this.#remember(id);
    for (const queue of durable) queue.store(topic, message);
    for (const subscriber of this.#choose(topic)) subscriber.push({ topic, message: copyMessage(message) });
  }

  #choose(topic: string): readonly MemorySubscriber[] {
    const chosen: MemorySubscriber[] = [];
    const queues = new Set<string>();
    for (const subscriber of this.#subscribers) {
      if (!subscriber.matches(topic)) continue;
      if (subscriber.queue !== undefined) {
        if (queues.has(subscriber.queue)) continue;
        queues.add(subscriber.queue);
      }
      chosen.push(subscriber);
    }
    for (const subscriber of chosen) {
      if (subscriber.queue === undefined) continue;
      this.#subscribers.delete(subscriber);
      this.#subscribers.add(subscriber);
    }
    return chosen;
  }

  #remember(id: string): void {
    this.#ids.add(id);
    if (this.#ids.size <= maxIds) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      return;
    }
  }
}
