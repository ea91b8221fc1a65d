import { type AbortOptions, MicroError } from '@ts-micro/core';
import { abortable, abortFanOut } from '@ts-micro/kit';
import type { MessageStream } from '@ts-micro/service';
import { LeavableReader } from '../validate/leavable-reader.ts';
import type { ResponseStream } from './typed-client.ts';

/** The responses of a stream that is opened by the first `receive`, so that a call that nobody reads holds nothing. */
export class LazyResponses implements ResponseStream<unknown> {
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  readonly #open: (signal: AbortSignal) => Promise<MessageStream>;
  /** Ends the stream, in the middle of its opening as well. */
  readonly #life: AbortController = new AbortController();
  #stream: Promise<MessageStream> | undefined;
  #isOpen = false;
  #isClosed = false;

  constructor(what: string, signal: AbortSignal | undefined, open: (signal: AbortSignal) => Promise<MessageStream>) {
    this.#what = what;
    this.#signal = signal;
    this.#open = open;
  }

  async receive(options: AbortOptions = {}): Promise<unknown> {
    if (this.#stream === undefined) {
      if (this.#isClosed) throw new MicroError('closed', `${this.#what}: the responses were closed`);
      this.#stream = this.#start();
    }
    const stream = await abortable(this.#stream, options.signal, this.#what).catch((error) => {
      // As closing ends a `receive` of an open stream.
      if (this.#isClosed) return undefined;
      throw error;
    });
    return stream?.receive(options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (!this.#isOpen) this.#life.abort();
    const stream = await this.#stream?.catch(() => undefined);
    await stream?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<unknown, void, undefined> {
    const close = () => this.close();
    return new LeavableReader({
      next: async () => {
        const value = await this.receive();
        return { value, done: value === undefined };
      },
      finish: close,
      leave: close,
    });
  }

  async #start(): Promise<MessageStream> {
    const given = this.#signal;
    const follow = { onAbort: (signal: AbortSignal) => this.#life.abort(signal.reason) };
    if (given?.aborted) follow.onAbort(given);
    else if (given) abortFanOut.add(given, follow);
    const leave = () => given && abortFanOut.delete(given, follow);
    try {
      const stream = await this.#open(this.#life.signal);
      this.#isOpen = true;
      void stream.closed.then(leave);
      return stream;
    } catch (error) {
      leave();
      throw error;
    }
  }
}
