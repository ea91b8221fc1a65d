import { type AbortOptions, type Message, MicroError } from '@ts-micro/core';
import { Lifetime } from '@ts-micro/kit';
import type { MessageStream } from './message-stream.ts';

/** What one end of a stream does through its socket; client and server differ in it. */
export interface StreamLink {
  /** Begins the message of every error: `greeter Greeter.Chat`. */
  readonly what: string;
  /** True where the peer's end is the end of everything, as it is on the client. */
  readonly isPeerEndFinal: boolean;
  /** The peer's next message; `undefined` where the socket ended. */
  receive(options?: AbortOptions): Promise<Message | undefined>;
  send(value: unknown, options?: AbortOptions): Promise<void>;
  /** Tells the peer that nothing more is sent; `isReading` where this side goes on receiving. Called once at most. */
  sendEnd(isReading: boolean, options?: AbortOptions): Promise<void>;
  /** True for the message of the peer that ends the stream, a `MicroError` for one that fails it. */
  outcome(message: Message): true | MicroError | undefined;
  /** Throws `malformed`. */
  decode(message: Message): unknown;
  /** Gives back what the stream held; a pending `receive` ends. */
  release(options: AbortOptions): unknown;
}

/** One end of a stream: order, ends and errors, the same on client and server. */
export class StreamEnd<Send = unknown, Receive = unknown> implements MessageStream<Send, Receive> {
  readonly #link: StreamLink;
  readonly #life: Lifetime;
  #ending: Promise<void> | undefined;
  /** Set once nothing more can come: `true` after the peer's end, else the error it ended with. */
  #outcome: true | MicroError | undefined;

  constructor(link: StreamLink) {
    this.#link = link;
    this.#life = new Lifetime(link.what, async (options) => {
      try {
        await this.#sendEnd(false, options);
      } finally {
        await link.release(options);
      }
    });
  }

  get closed(): Promise<MicroError | undefined> {
    return this.#life.closed;
  }

  async send(value: Send, options?: AbortOptions): Promise<void> {
    this.#life.assertOpen(options);
    if (this.#ending !== undefined)
      throw new MicroError('closed', `${this.#link.what}: this side of the stream has ended`);
    await this.#link.send(value, options);
  }

  async receive(options?: AbortOptions): Promise<Receive | undefined> {
    if (this.#outcome !== undefined) return this.#over();
    this.#life.assertOpen(options);
    const message = await this.#link.receive(options);
    if (message === undefined) {
      // Another receive may have taken the end; or this side closed while waiting.
      if (this.#outcome === undefined && this.#life.isOpen) {
        this.finish(new MicroError('unavailable', `${this.#link.what}: the peer of the stream is gone`));
      }
      return this.#over();
    }
    const outcome = this.#link.outcome(message);
    if (outcome === undefined) return this.#link.decode(message) as Receive;
    this.finish(outcome);
    return this.#over();
  }

  async end(options?: AbortOptions): Promise<void> {
    if (this.#ending === undefined) this.#life.assertOpen(options);
    await this.#sendEnd(true, options);
  }

  close(options?: AbortOptions): Promise<void> {
    return this.#life.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#life.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Receive, void, undefined> {
    // Where this side closed it between two values, the loop is over as well.
    while (this.#life.isOpen || this.#outcome !== undefined) {
      const value = await this.receive();
      if (value === undefined) return;
      yield value;
    }
  }

  /** Nothing more comes from the peer: `true` after its end, else why. The first one counts. */
  finish(outcome: true | MicroError): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    if (!this.#link.isPeerEndFinal) return;
    if (outcome === true) void this.#life.close();
    else void this.#life.fail(outcome);
  }

  #over(): undefined {
    if (this.#outcome !== true && this.#outcome !== undefined) throw this.#outcome;
    return undefined;
  }

  #sendEnd(isReading: boolean, options?: AbortOptions): Promise<void> {
    this.#ending ??= this.#link.sendEnd(isReading, options);
    return this.#ending;
  }
}
