import { type AbortOptions, MicroError } from '@ts-micro/core';
import type { MessageStream } from '@ts-micro/service';
import type { ResponseStream } from './typed-client.ts';

/** The responses of a stream that is opened by the first `receive`, so that a call that nobody reads holds nothing. */
export class LazyResponses implements ResponseStream<unknown> {
  readonly #what: string;
  readonly #open: () => Promise<MessageStream>;
  #stream: Promise<MessageStream> | undefined;
  #isClosed = false;

  constructor(what: string, open: () => Promise<MessageStream>) {
    this.#what = what;
    this.#open = open;
  }

  async receive(options?: AbortOptions): Promise<unknown> {
    if (this.#stream === undefined) {
      if (this.#isClosed) throw new MicroError('closed', `${this.#what}: the responses were closed`);
      this.#stream = this.#open();
    }
    return (await this.#stream).receive(options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const stream = await this.#stream?.catch(() => undefined);
    await stream?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void, undefined> {
    try {
      for (let value = await this.receive(); value !== undefined; value = await this.receive()) yield value;
    } finally {
      await this.close();
    }
  }
}
