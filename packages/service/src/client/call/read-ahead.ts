import { type AbortOptions, type Message, MicroError, type Socket } from '@ts-micro/core';
import { Mailbox } from '@ts-micro/kit';

/**
 * Takes messages from a socket before anybody asks for them, so that how the peer ends is known though nobody
 * receives.
 */
export class ReadAhead {
  readonly #socket: Socket;
  readonly #what: string;
  readonly #limit: number;
  readonly #isEnd: (message: Message) => boolean;
  readonly #inbox: Mailbox<Message>;
  #onRoom: (() => void) | undefined;
  /** Resolves, and never rejects, once the peer's last message was taken or the socket has ended. */
  readonly done: Promise<void>;

  /**
   * Holds at most `limit` messages; `isEnd` sees each, and is true for the peer's last one. `what` begins the messages
   * of errors.
   */
  constructor(socket: Socket, what: string, limit: number, isEnd: (message: Message) => boolean) {
    this.#socket = socket;
    this.#what = what;
    this.#limit = limit;
    this.#isEnd = isEnd;
    this.#inbox = new Mailbox(what);
    this.done = this.#run();
  }

  /** The next message; `undefined` where the socket ended. Rejects as the socket does. */
  async pull(options?: AbortOptions): Promise<Message | undefined> {
    const message = await this.#inbox.pull(options);
    if (this.#inbox.size < this.#limit) this.#resume();
    return message;
  }

  /** A pending `pull` ends, and what was not pulled is forgotten. */
  close(): void {
    this.#inbox.end(undefined, { drop: true });
    this.#resume();
  }

  async #run(): Promise<void> {
    try {
      for (let message = await this.#socket.receive(); message; message = await this.#socket.receive()) {
        const isEnd = this.#isEnd(message);
        this.#inbox.push(message);
        if (isEnd) break;
        if (this.#inbox.size >= this.#limit) await this.#room();
      }
      this.#inbox.end();
    } catch (error) {
      // A socket that this side has closed ends as plainly as one that the peer has.
      this.#inbox.end(
        MicroError.is(error, 'closed') ? undefined : MicroError.from(error, 'internal', `${this.#what}: receiving`),
      );
    }
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  #resume(): void {
    this.#onRoom?.();
    this.#onRoom = undefined;
  }
}
