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

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void, undefined> {
    for await (const value of this.#stream) {
      this.#counter.onReceived();
      yield value;
    }
  }
}
