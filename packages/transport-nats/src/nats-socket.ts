import { type AbortOptions, abortError, checkHeaders, type Message, MicroError, type Socket } from '@ts-micro/core';
import { abortable, Lifetime, Mailbox } from '@ts-micro/kit';
import { encodeEnvelope, type NatsConnection } from '@ts-micro/nats';
import type { Dialect } from './dialect.ts';
import { Conversation, type ConversationHost } from './native/conversation.ts';
import { FrameMessage } from './native/frame.ts';
import { windowMessages } from './native/limits.ts';
import type { ReassemblyBudget } from './native/reassembly-budget.ts';

export interface SocketInit {
  readonly connection: NatsConnection;
  readonly dialect: Dialect;
  readonly local: string;
  readonly remote: string;
  readonly maxQueuedMessages: number;
  readonly maxMessageBytes: number;
  /** Shared with others. @default none */
  readonly reassembly?: ReassemblyBudget | undefined;
}

/** Where an answer goes, in the form that publishing takes, so that a socket makes it once. */
export interface ReplySubject {
  readonly reply: string;
}

const sent: Promise<void> = Promise.resolve();

/** What both ends of a conversation have in common. */
export abstract class NatsSocket implements Socket, ConversationHost {
  readonly local: string;
  readonly remote: string;
  readonly what: string;
  protected readonly connection: NatsConnection;
  /** Of the last message that came, at first of the first one to be sent. */
  protected dialect: Dialect;
  readonly #maxMessageBytes: number;
  readonly #reassembly: ReassemblyBudget | undefined;
  readonly #lifetime: Lifetime;
  readonly #mailbox: Mailbox<Message>;
  #conversation: Conversation | undefined;
  #hasPeerClosed = false;
  #failure: MicroError | undefined;
  #catchingUp: Promise<void> | undefined;
  #stopWaiting: (() => void) | undefined;

  constructor({ connection, dialect, local, remote, maxQueuedMessages, maxMessageBytes, reassembly }: SocketInit) {
    this.local = local;
    this.remote = remote;
    this.connection = connection;
    this.dialect = dialect;
    this.what = `nats socket from ${local} to ${remote}`;
    this.#maxMessageBytes = maxMessageBytes;
    this.#reassembly = reassembly;
    // In frames the sender keeps to a window.
    const limit = dialect === 'native' ? Math.max(maxQueuedMessages, windowMessages) : maxQueuedMessages;
    this.#mailbox = new Mailbox(this.what, limit);
    this.#lifetime = new Lifetime(this.what, () => this.#end());
  }

  send(message: Message, options?: AbortOptions): Promise<void> {
    if (!this.#lifetime.isOpen) return Promise.reject(this.#failure ?? this.#lifetime.closedError());
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(abortError(signal, this.what));
    try {
      const sending = this.dialect === 'native' ? this.conversation.send(message, signal) : this.#sendEnvelope(message);
      return sending ?? this.#room(options) ?? sent;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  receive(options?: AbortOptions): Promise<Message | undefined> {
    if (!this.#lifetime.isOpen && this.#failure === undefined) return Promise.reject(this.#lifetime.closedError());
    if (options?.signal?.aborted) return this.#mailbox.pull(options);
    const message = this.#mailbox.take();
    if (message === undefined) return this.#mailbox.pull(options);
    if (message instanceof FrameMessage) this.conversation.received(message);
    return Promise.resolve(message);
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

  /** What made it useless, other than a close. */
  get failure(): MicroError | undefined {
    return this.#failure;
  }

  get maxPayload(): number {
    return this.connection.maxPayload;
  }

  publishFrame(bytes: Uint8Array): void {
    this.connection.publish(this.remote, bytes, this.replySubject());
    this.onSent();
  }

  abstract publishAsk(bytes: Uint8Array): void;

  onFrameMessage(message: FrameMessage): void {
    const waiting = this.#mailbox.size;
    if (!this.push(message)) this.fail(tooMany(this.what));
    else if (this.#mailbox.size === waiting) this.conversation.received(message);
  }

  onPeerClosed(_messages: number): void {
    this.#hasPeerClosed = true;
    this.#mailbox.end();
    this.conversation.end(new MicroError('unavailable', `${this.what}: the peer has closed`, { retrySafe: true }));
  }

  /** Takes a frame. Throws `malformed`; what else is wrong with it makes this fail. False when it has failed. */
  protected takeFrame(bytes: Uint8Array): boolean {
    if (this.#hasPeerClosed) return true;
    try {
      this.conversation.take(bytes);
    } catch (error) {
      if (MicroError.is(error, 'malformed') || !MicroError.is(error)) throw error;
      this.fail(error);
    }
    return this.#lifetime.isOpen;
  }

  protected get conversation(): Conversation {
    this.#conversation ??= new Conversation(this, this.#maxMessageBytes, this.#reassembly);
    return this.#conversation;
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
  protected abstract onSent(): void;
  /** It has ended: forget it. */
  protected abstract release(): void;

  /** As the connection's, and ends with this socket, as a server that has fallen silent makes no room. */
  #room(options: AbortOptions | undefined): Promise<void> | undefined {
    const room = this.connection.room();
    if (room === undefined) return undefined;
    this.#catchingUp ??= this.#catchUp(room);
    return options?.signal ? abortable(this.#catchingUp, options.signal, this.what).catch(() => {}) : this.#catchingUp;
  }

  async #catchUp(room: Promise<void>): Promise<void> {
    const end = new Promise<void>((resolve) => {
      this.#stopWaiting = resolve;
    });
    await Promise.race([room, end]);
    this.#stopWaiting = undefined;
    this.#catchingUp = undefined;
  }

  #sendEnvelope(message: Message): undefined {
    checkHeaders(message.headers, this.what);
    this.connection.publish(this.remote, encodeEnvelope(message), this.replySubject());
    this.onSent();
  }

  #end(): void {
    // A failure has ended the mailbox already, and leaves what has come.
    if (this.#failure === undefined) {
      this.#mailbox.end(undefined, { drop: true });
      this.#conversation?.close();
    }
    this.#conversation?.end(this.#failure ?? this.#lifetime.closedError());
    this.#stopWaiting?.();
    this.release();
  }
}

/** What ends a socket to which more comes than it may hold. */
export function tooMany(what: string): MicroError {
  return new MicroError('unavailable', `${what}: more messages came than are received`);
}
