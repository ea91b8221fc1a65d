import type { NatsMessage } from '@ts-micro/nats';

/** First in, first out. */
export class PendingMessages {
  #messages: (NatsMessage | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#messages.length - this.#head;
  }

  push(message: NatsMessage): void {
    this.#messages.push(message);
  }

  take(): NatsMessage | undefined {
    const message = this.#messages[this.#head];
    if (message === undefined) return undefined;
    this.#messages[this.#head] = undefined;
    this.#head++;
    if (this.#head === this.#messages.length) {
      this.clear();
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#messages.length) {
      // A queue that never runs empty must not keep what was taken.
      this.#messages.splice(0, this.#head);
      this.#head = 0;
    }
    return message;
  }

  clear(): void {
    this.#messages = [];
    this.#head = 0;
  }
}
