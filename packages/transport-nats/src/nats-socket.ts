import {
  type AbortOptions,
  abortError,
  checkHeaders,
  Lifetime,
  Mailbox,
  type Message,
  type MicroError,
  type Socket,
} from '@ts-micro/core';
import type { NatsConnection } from '@ts-micro/nats';
import type { Dialect, ReplySubject } from './dialect.ts';

export interface SocketInit {
  readonly connection: NatsConnection;
  readonly dialect: Dialect;
  readonly local: string;
  readonly remote: string;
  readonly maxQueuedMessages: number;
}

/** What both ends of a conversation have in common. */
export abstract class NatsSocket implements Socket {
  readonly local: string;
  readonly remote: string;
  protected readonly connection: NatsConnection;
  protected readonly what: string;
  protected dialect: Dialect;
  readonly #lifetime: Lifetime;
  readonly #mailbox: Mailbox<Message>;
  /** What made it useless, other than a close. */
  #failure: MicroError | undefined;

  constructor({ connection, dialect, local, remote, maxQueuedMessages }: SocketInit) {
    this.local = local;
    this.remote = remote;
    this.connection = connection;
    this.dialect = dialect;
    this.what = `nats socket from ${local} to ${remote}`;
    this.#mailbox = new Mailbox(this.what, maxQueuedMessages);
    this.#lifetime = new Lifetime(this.what, () => {
      // A failure has ended it already, and leaves what has come.
      if (this.#failure === undefined) this.#mailbox.end(undefined, { drop: true });
      this.release();
    });
  }

  async send(message: Message, options?: AbortOptions): Promise<void> {
    if (!this.#lifetime.isOpen) throw this.#failure ?? this.#lifetime.closedError();
    if (options?.signal?.aborted) throw abortError(options.signal, this.what);
    checkHeaders(message.headers, this.what);
    this.dialect.write(this.connection, this.remote, message, this.replySubject());
    this.sent();
    const room = this.connection.room(options);
    if (room !== undefined) await room;
  }

  async receive(options?: AbortOptions): Promise<Message | undefined> {
    if (!this.#lifetime.isOpen && this.#failure === undefined) throw this.#lifetime.closedError();
    return this.#mailbox.pull(options);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    for (let message = await this.receive(); message; message = await this.receive()) yield message;
  }

  get closed(): Promise<MicroError | undefined> {
    return this.#lifetime.closed;
  }

  close(options?: AbortOptions): Promise<void> {
    return this.#lifetime.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Closes it because its owner could not wait any longer: its methods refuse with `closed`. */
  abandon(cause: MicroError): Promise<void> {
    return this.#lifetime.fail(cause);
  }

  /** Lets what has come be received, then `undefined`; sending goes on. */
  endInput(): void {
    this.#mailbox.end();
  }

  /** Ends it: sends reject with `cause`, and so do receives after what has come, or with `undefined` where it only means that the peer has gone. */
  protected fail(cause: MicroError, { isPeerGone = false }: { readonly isPeerGone?: boolean } = {}): void {
    if (!this.#lifetime.isOpen) return;
    this.#failure = cause;
    this.#mailbox.end(isPeerGone ? undefined : cause);
    void this.#lifetime.fail(cause);
  }

  /** False when more is waiting to be received than may. */
  protected push(message: Message): boolean {
    return this.#mailbox.push(message);
  }

  /** Where the answer to the next message goes. */
  protected abstract replySubject(): ReplySubject | undefined;
  /** One more message has gone out. */
  protected abstract sent(): void;
  /** It has ended: forget it. */
  protected abstract release(): void;
}
