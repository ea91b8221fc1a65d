import type { Message } from '@ts-micro/core';
import { copyMessage } from '../copy-message.ts';
import type { MemorySubscriber } from './memory-subscriber.ts';

/** The subscribers of a network. */
export class Topics {
  // In the order in which the members of a queue come next.
  readonly #subscribers = new Set<MemorySubscriber>();

  add(subscriber: MemorySubscriber): void {
    this.#subscribers.add(subscriber);
  }

  delete(subscriber: MemorySubscriber): void {
    this.#subscribers.delete(subscriber);
  }

  /** Gives every subscriber a copy of its own, and of each queue one member, in turn. */
  deliver(topic: string, message: Message): void {
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
      if (subscriber.queue !== undefined) {
        this.#subscribers.delete(subscriber);
        this.#subscribers.add(subscriber);
      }
      subscriber.push({ topic, message: copyMessage(message) });
    }
  }
}
