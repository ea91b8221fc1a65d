import {
  type AbortOptions,
  abortError,
  checkHeaders,
  checkMessage,
  type Message,
  MicroError,
  type SendOptions,
  type Socket,
} from '@ts-micro/core';
import {
  abortable,
  bytesOfMessage,
  ClosableBase,
  detachedMessage,
  type HeldBytes,
  Mailbox,
  memoryOfMessage,
} from '@ts-micro/kit';
import { FrameMessage, FrameStream, type Line, SentRecord, windowMessages } from '@ts-micro/kit/frames';
import { encodeEnvelope, type NatsConnection } from '@ts-micro/nats';
import type { Dialect } from '../dialect.ts';
import type { TransportSettings } from '../transport-options.ts';

export interface SocketInit {
  readonly connection: NatsConnection;
  readonly line: Line;
  readonly dialect: Dialect;
  readonly local: string;
  readonly remote: string;
  readonly peer?: string | undefined;
  readonly settings: TransportSettings;
  /** Where what is incomplete is counted, and what was not received. */
  readonly held: HeldBytes;
  /** Called once it has ended: forget it. */
  readonly onRelease: () => void;
}

const done: Promise<void> = Promise.resolve();

function ownMemory(message: Message): Message {
  return message instanceof FrameMessage ? message.detached() : detachedMessage(message);
}

/** One end of a conversation, composed of a line to the peer, a stream of frames, and what waits to be received. */
export class NatsSocket extends ClosableBase implements Socket {
  readonly local: string;
  readonly remote: string;
  readonly peer: string | undefined;
  /** The dialect of the last message that came; before that, of the first one to be sent. */
  dialect: Dialect;
  /** Records what was sent since something came back. */
  readonly record: SentRecord = new SentRecord();
  readonly #init: SocketInit;
  readonly #line: Line;
  readonly #mailbox: Mailbox<Message>;
  #stream: FrameStream | undefined;
  #hasPeerClosed = false;
  #hasInputEnded = false;
  #failure: MicroError | undefined;
  #peerClosed: Promise<void> | undefined;
  #resolvePeerClosed: (() => void) | undefined;
  #catchingUp: Promise<void> | undefined;
  #stopWaiting: (() => void) | undefined;

  constructor(init: SocketInit) {
    const { line, dialect, held } = init;
    super(line.what);
    const { maxQueuedMessages } = init.settings;
    this.local = init.local;
    this.remote = init.remote;
    this.peer = init.peer;
    this.dialect = dialect;
    this.#init = init;
    this.#line = line;
    // In frames the sender keeps to a window, which its last message passes.
    const limit = dialect === 'native' ? Math.max(maxQueuedMessages, windowMessages + 1) : maxQueuedMessages;
    this.#mailbox = new Mailbox<Message>(line.what, limit, {
      of: bytesOfMessage,
      held,
      detach: ownMemory,
      memoryOf: memoryOfMessage,
    });
  }

  send(message: Message, options?: SendOptions): Promise<void> {
    if (!this.lifetime.isOpen) return Promise.reject(this.#refusal());
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(abortError(signal, this.#line.what));
    try {
      if (!(message?.body instanceof Uint8Array)) checkMessage(message, Number.POSITIVE_INFINITY, this.#line.what);
      if (this.dialect === 'native') return this.stream.send(message, options) ?? this.#room(options) ?? done;
      checkHeaders(message.headers, this.#line.what);
      const bytes = encodeEnvelope(message);
      this.#line.publish(bytes);
      this.record.begin(bytes.length);
      return this.#room(options) ?? done;
    } catch (error) {
      // What is no error of ours comes from a getter or a proxy of the message.
      return Promise.reject(MicroError.from(error, 'invalid', `${this.#line.what}: the message cannot be read`));
    }
  }

  receive(options?: AbortOptions): Promise<Message | undefined> {
    if (!this.lifetime.isOpen && this.#failure === undefined) return Promise.reject(this.lifetime.closedError());
    if (options?.signal?.aborted) return this.#mailbox.pull(options);
    const message = this.#take();
    return message === undefined ? this.#mailbox.pull(options) : Promise.resolve(message);
  }

  receiveNow(): Message | undefined {
    return this.lifetime.isOpen || this.#failure !== undefined ? this.#take() : undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    for (let message = await this.receive(); message; message = await this.receive()) yield message;
  }

  get peerClosed(): Promise<void> | undefined {
    // A peer that speaks Go Micro's dialect leaves without a word.
    if (this.dialect !== 'native') return undefined;
    this.#peerClosed ??= this.#hasInputEnded
      ? done
      : new Promise((resolve) => {
          this.#resolvePeerClosed = resolve;
        });
    return this.#peerClosed;
  }

  override close(options?: AbortOptions): Promise<void> {
    // What came before it failed can still be received, and is kept by nobody else.
    if (this.#failure !== undefined) this.#init.held.release();
    return super.close(options);
  }

  get isOpen(): boolean {
    return this.lifetime.isOpen;
  }

  /** The frames of this socket, made at their first use. */
  get stream(): FrameStream {
    this.#stream ??= this.#newStream();
    return this.#stream;
  }

  /** Takes a message that came. Throws `unavailable` where more waits than may: the socket is to fail with it. */
  deliver(message: Message): void {
    this.record.answered();
    const waiting = this.#mailbox.size;
    // What comes in frames keeps to a window.
    const isTooMuch = this.#mailbox.bytes >= this.#init.settings.maxQueuedBytes && !(message instanceof FrameMessage);
    if (isTooMuch || !this.#mailbox.push(message)) {
      if (this.#hasInputEnded) return;
      throw new MicroError('unavailable', `${this.#line.what}: more messages came than are received`);
    }
    if (message instanceof FrameMessage && this.#mailbox.size === waiting) this.stream.received(message);
  }

  /**
   * Takes a frame that came; returns true where it brought a message. Throws what the socket is to fail with, or
   * `malformed`.
   */
  takeFrame(bytes: Uint8Array): boolean {
    if (this.#hasPeerClosed || !this.lifetime.isOpen) return false;
    const taken = this.stream.take(bytes);
    if (taken === undefined) return false;
    if (taken instanceof FrameMessage) {
      this.deliver(taken);
      return true;
    }
    this.#takeClose(taken.received);
    return false;
  }

  /**
   * Asks the peer for its window and tells it what was sent, where they speak frames. Returns false where nothing can
   * be asked.
   */
  probe(): boolean {
    if (this.dialect !== 'native' || this.#hasPeerClosed || !this.lifetime.isOpen) return false;
    this.stream.probe();
    return true;
  }

  /** Lets what has come be received, then `undefined`; sending goes on. */
  endInput(): void {
    this.#hasInputEnded = true;
    this.#mailbox.end();
    this.#resolvePeerClosed?.();
  }

  /**
   * Ends it: sends reject with `cause`, and so do receives after what has come, or with `undefined` where it only means
   * that the peer has gone.
   */
  fail(cause: MicroError, { isPeerGone = false }: { readonly isPeerGone?: boolean } = {}): void {
    if (!this.lifetime.isOpen) return;
    this.#failure = cause;
    this.#mailbox.end(isPeerGone ? undefined : cause);
    void this.lifetime.fail(cause);
  }

  /** Lets go of what has come and was not received: it has failed, and others need the memory. */
  forget(): void {
    this.#mailbox.end(undefined, { drop: true });
    this.#init.held.release();
  }

  /** Closes it because its owner could not wait any longer: its methods refuse with `closed`. */
  abandon(cause: MicroError): Promise<void> {
    return this.lifetime.fail(cause);
  }

  #take(): Message | undefined {
    const message = this.#mailbox.take();
    if (message instanceof FrameMessage) this.stream.received(message);
    return message;
  }

  #newStream(): FrameStream {
    const { held, settings } = this.#init;
    return new FrameStream(this.#line, this.record, { maxMessageBytes: settings.maxMessageBytes, held });
  }

  #takeClose(received: number): void {
    const closed = () => new MicroError('unavailable', `${this.#line.what}: the peer has closed`, { retrySafe: true });
    if (this.record.isSafeAfterClose(received)) throw closed();
    this.#hasPeerClosed = true;
    this.endInput();
    this.stream.end(closed);
  }

  #refusal(): MicroError {
    const failure = this.#failure;
    if (failure === undefined) return this.lifetime.closedError();
    // Whatever ended it, this message was not sent.
    if (failure.retrySafe || failure.code !== 'unavailable') return failure;
    return new MicroError(failure.code, failure.message, { cause: failure, retrySafe: true });
  }

  /** As the connection's, and ends with this socket, as a server that has fallen silent makes no room. */
  #room(options: AbortOptions | undefined): Promise<void> | undefined {
    const room = this.#init.connection.room();
    if (room === undefined) return undefined;
    this.#catchingUp ??= this.#catchUp(room);
    return options?.signal
      ? abortable(this.#catchingUp, options.signal, this.#line.what).catch(() => {})
      : this.#catchingUp;
  }

  async #catchUp(room: Promise<void>): Promise<void> {
    const end = new Promise<void>((resolve) => {
      this.#stopWaiting = resolve;
    });
    await Promise.race([room, end]);
    this.#stopWaiting = undefined;
    this.#catchingUp = undefined;
  }

  protected release(): void {
    // A failure has ended the mailbox already, and leaves what has come.
    if (this.#failure === undefined) {
      this.#mailbox.end(undefined, { drop: true });
      this.#stream?.close();
    }
    this.#stream?.end(() => this.#failure ?? this.lifetime.closedError());
    if (this.#mailbox.size === 0) this.#init.held.release();
    this.#stopWaiting?.();
    this.#hasInputEnded = true;
    this.#resolvePeerClosed?.();
    this.#init.onRelease();
  }
}
