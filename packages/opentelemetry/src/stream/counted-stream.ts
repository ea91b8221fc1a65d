import type { AbortOptions, MicroError } from '@ts-micro/core';
import type { MessageStream } from '@ts-micro/service';

/** Told of each message of a stream. */
export interface StreamCounter {
  onSent(): void;
  onReceived(): void;
}

/** A stream that counts its messages, and is the given one in everything else. */
export class CountedStream implements MessageStream {
  readonly #stream: MessageStream;
  readonly #counter: StreamCounter;

  constructor(stream: MessageStream, counter: StreamCounter) {
    this.#stream = stream;
    this.#counter = counter;
  }

  get closed(): Promise<MicroError | undefined> {
    return this.#stream.closed;
  }

  get sendSignal(): AbortSignal | undefined {
    return this.#stream.sendSignal;
  }

  async send(value: unknown, options?: AbortOptions): Promise<void> {
    await this.#stream.send(value, options);
    this.#counter.onSent();
  }

  async receive(options?: AbortOptions): Promise<unknown> {
    const value = await this.#stream.receive(options);
    if (value !== undefined) this.#counter.onReceived();
    return value;
  }

  end(options?: AbortOptions): Promise<void> {
    return this.#stream.end(options);
  }

  close(options?: AbortOptions): Promise<void> {
    return this.#stream.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stream.close();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<unknown, void, undefined> {
    const values = this.#stream[Symbol.asyncIterator]();
    const leave = async (): Promise<IteratorResult<unknown, void>> => {
      await values.return?.();
      return { value: undefined, done: true };
    };
    // No generator, of which who leaves it would wait for the value that it waits for.
    return {
      next: async () => {
        const next = await values.next();
        if (next.done !== true) this.#counter.onReceived();
        return next;
      },
      return: leave,
      throw: async (error) => {
        await leave();
        throw error;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
