import { type AbortOptions, type Message, MicroError, type Socket } from '@ts-micro/core';
import { Mailbox } from '@ts-micro/kit';

/** The most that waits unread where nothing slows the peer down; one message alone may have more bytes. */
const mostMessages = 16_384;
const mostBytes: number = 64 * 1024 * 1024;

/** How reading ahead ended. */
export interface ReadAheadEnd {
  /** Why nothing more is read; `undefined` after the peer's last message, or where the socket has plainly ended. */
  readonly failure: MicroError | undefined;
  /** More came than may wait: the socket works, and nobody reads it any more. */
  readonly isFull: boolean;
}

export interface ReadAheadOptions {
  /** Begins the messages of errors. */
  readonly what: string;
  /** Whether what waits is bounded by this side, as the peer keeps to no window. */
  readonly isBounded: boolean;
  /** Sees each message; true for the peer's last one. */
  readonly isEnd: (message: Message) => boolean;
}

/**
 * Takes messages from a socket before anybody asks for them, so that how the peer ends is known though nobody
 * receives.
 */
export class ReadAhead {
  readonly #socket: Socket;
  readonly #options: ReadAheadOptions;
  readonly #inbox: Mailbox<Message>;
  #bytes = 0;
  /** Resolves, and never rejects, once the peer's last message was taken or nothing more can be. */
  readonly done: Promise<ReadAheadEnd>;

  constructor(socket: Socket, options: ReadAheadOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#inbox = new Mailbox(options.what);
    this.done = this.#run();
  }

  /** The next message; `undefined` where the socket ended. Rejects as the socket does, or as too much waited. */
  async pull(options?: AbortOptions): Promise<Message | undefined> {
    const message = await this.#inbox.pull(options);
    if (message) this.#bytes -= message.body.length;
    return message;
  }

  /** The next message where it is there already. */
  take(): Message | undefined {
    const message = this.#inbox.take();
    if (message) this.#bytes -= message.body.length;
    return message;
  }

  /** A pending `pull` ends, and what was not pulled is forgotten. */
  close(): void {
    this.#inbox.end(undefined, { drop: true });
  }

  async #run(): Promise<ReadAheadEnd> {
    const { what, isBounded, isEnd } = this.#options;
    try {
      for (let message = await this.#socket.receive(); message; message = await this.#socket.receive()) {
        const isLast = isEnd(message);
        if (isBounded && !isLast && this.#isTooMuch(message)) {
          const waiting = `${this.#inbox.size} messages of ${this.#bytes} bytes wait to be received, and more came`;
          return this.#end({ failure: new MicroError('unavailable', `${what}: ${waiting}`), isFull: true });
        }
        this.#bytes += message.body.length;
        if (!this.#inbox.push(message) || isLast) break;
      }
      return this.#end({ failure: undefined, isFull: false });
    } catch (error) {
      // A socket that this side has closed ends as plainly as one that the peer has.
      const failure = MicroError.is(error, 'closed')
        ? undefined
        : MicroError.from(error, 'internal', `${what}: receiving`);
      return this.#end({ failure, isFull: false });
    }
  }

  #isTooMuch({ body }: Message): boolean {
    const { size } = this.#inbox;
    return size >= mostMessages || (size > 0 && this.#bytes + body.length > mostBytes);
  }

  #end(end: ReadAheadEnd): ReadAheadEnd {
    this.#inbox.end(end.failure);
    return end;
  }
}
