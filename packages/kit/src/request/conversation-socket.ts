import {
  type AbortOptions,
  checkMessage,
  type Message,
  MicroError,
  type SendOptions,
  type Socket,
} from '@ts-micro/core';
import type { ByteBudget, BytesHolder, HeldBytes } from '../budget/byte-budget.ts';
import { bytesOfMessage, detachedMessage, memoryOfMessage } from '../budget/message-bytes.ts';
import { abortable } from '../lifecycle/abort.ts';
import { ClosableBase } from '../lifecycle/closable-base.ts';
import { Mailbox } from '../lifecycle/mailbox.ts';
import { SendWindow, windowBytes, windowMessages } from './send-window.ts';

/**
 * What a message of a conversation is. `open` is a dialler's first and `more` any other; `close` ends it, and so does
 * `gone`, from one that failed or knows no such conversation; `refused` says that none is taken in; `room` how many
 * messages were received, in the header `Received`; `ping` asks for nothing: that it arrives says enough.
 */
export type ConversationKind = 'open' | 'more' | 'close' | 'gone' | 'refused' | 'room' | 'ping';

/** Peers that know no kinds do not wait for room: what is beyond ends the socket, bytes and one largest body. */
const mostWaiting = 16_384;
const mostWaitingBytes: number = 64 * 1024 * 1024;
const noBytes = new Uint8Array();

export interface ConversationSocketOptions {
  readonly what: string;
  readonly local: string;
  readonly remote: string;
  /** Whether the peer is known to know kinds; one that sends any does. */
  readonly isNative: boolean;
  /** The process at the other end: what its sockets hold counts together. @default `remote` */
  readonly peer?: string | undefined;
  /** Where what waits to be received is counted with that of other sockets. @default it is bounded alone */
  readonly budget?: ByteBudget | undefined;
  /** Whether the first message opens a conversation. */
  readonly opens: boolean;
  /** The largest body in bytes. */
  readonly maxBodyBytes: number;
  /** Hands a message to the backend, in the order of the calls, and tells whether that took it. */
  readonly transmit: (kind: ConversationKind, message: Message) => Promise<void>;
}

/**
 * A whole {@link Socket} over a backend that hands messages to addresses: order, ends, and how far one side may run
 * ahead of the other. A peer that knows no kinds, as one of Go Micro, is only sent messages.
 */
export class ConversationSocket extends ClosableBase implements Socket, BytesHolder {
  readonly local: string;
  readonly remote: string;
  readonly peer: string;
  readonly #held: HeldBytes | undefined;
  readonly #options: ConversationSocketOptions;
  readonly #incoming: Mailbox<Message>;
  readonly #window: SendWindow;
  #isNative: boolean;
  #opens: boolean;
  #hasPeer: boolean;
  #failure: MicroError | undefined;
  #received = 0;
  #receivedBytes = 0;
  #told = 0;
  #lastActive: number = performance.now();
  #toldBytes = 0;
  readonly #peerClosed: Promise<void>;
  #onPeerClosed: () => void = () => {};

  constructor(options: ConversationSocketOptions) {
    const { what, local, remote, isNative, opens } = options;
    super(what);
    this.local = local;
    this.remote = remote;
    this.peer = options.peer ?? remote;
    this.#held = options.budget?.holding(this);
    this.#options = options;
    this.#isNative = isNative;
    this.#opens = opens;
    this.#hasPeer = !opens;
    const limit = mostWaitingBytes + options.maxBodyBytes;
    const counting = {
      of: bytesOfMessage,
      limit,
      held: this.#held,
      detach: detachedMessage,
      memoryOf: memoryOfMessage,
    };
    this.#incoming = new Mailbox<Message>(what, mostWaiting, counting);
    this.#window = new SendWindow(what);
    this.#peerClosed = new Promise((resolve) => {
      this.#onPeerClosed = resolve;
    });
  }

  async send(message: Message, options: SendOptions = {}): Promise<void> {
    const { what, maxBodyBytes, transmit } = this.#options;
    this.#assertUsable(options);
    checkMessage(message, maxBodyBytes, what);
    const copy = { headers: { ...message.headers }, body: Uint8Array.from(message.body) };
    if (this.#isNative) await this.#window.enter(bytesOfMessage(copy), options.isLast === true, options);
    else this.#window.pass();
    this.#assertUsable(options);
    this.#lastActive = performance.now();
    const kind = this.#opens ? 'open' : 'more';
    this.#opens = false;
    this.#hasPeer = true;
    try {
      await abortable(transmit(kind, copy), options.signal, what);
    } catch (error) {
      if (MicroError.is(error, 'unavailable')) this.fail(error);
      throw this.#failure ?? error;
    }
    // That nobody was there is told before the message is confirmed.
    if (this.#failure) throw this.#failure;
  }

  async receive(options?: AbortOptions): Promise<Message | undefined> {
    this.#assertUsable(options);
    return this.#taken(await this.#incoming.pull(options));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    for (let next = await this.#incoming.pull(); next; next = await this.#incoming.pull()) {
      this.#taken(next);
      yield next;
    }
  }

  /** Takes what the other end sent. Never throws. */
  take(kind: ConversationKind | undefined, read: () => Message): void {
    this.#hasPeer = true;
    this.#lastActive = performance.now();
    if (kind !== undefined) this.#isNative = true;
    try {
      if (kind === 'close') this.#onClose();
      else if (kind === 'refused') this.fail(this.#unavailable('nobody listens', true));
      else if (kind === 'gone') this.fail(this.#unavailable('the other end is gone'));
      else if (kind === 'room') this.#window.received(Number(read().headers.Received));
      else if (kind !== 'ping' && !this.#incoming.push(read()))
        this.fail(this.#unavailable('too many messages wait to be received'));
    } catch {
      this.fail(this.#unavailable('the other end sent what is no message'));
    }
  }

  /** Asks whether the other end is there: where it is not, the socket hears of it. */
  ping(): void {
    if (this.#isNative && this.#hasPeer) void this.#tell('ping');
  }

  /**
   * Ends what comes in, after what has come, where no message went either way for `quietMs` milliseconds and the peer
   * knows no kinds: it leaves without a word. Returns whether it did.
   */
  retire(quietMs: number): boolean {
    if (this.#isNative || performance.now() - this.#lastActive < quietMs) return false;
    this.#incoming.end();
    return true;
  }

  /** Closes it because of `cause`. One that is `unavailable` is what its methods reject with from then on. */
  fail(cause: MicroError): void {
    if (cause.code === 'unavailable') this.#failure ??= cause;
    void this.lifetime.fail(cause);
  }

  /** Others need what it holds: it fails, and lets go of that. */
  shed(cause: MicroError): void {
    this.fail(cause);
  }

  /** The other end is not there. */
  failUnreached(wasOpened: boolean): void {
    this.#hasPeer = false;
    this.fail(this.#unavailable('nobody listens', wasOpened));
  }

  get peerClosed(): Promise<void> | undefined {
    // A peer that knows no kinds leaves without a word.
    return this.#isNative ? this.#peerClosed : undefined;
  }

  // A socket that failed goes on saying why, which tells more than `closed`.
  #assertUsable(options?: AbortOptions): void {
    if (this.#failure) throw this.#failure;
    this.lifetime.assertOpen(options);
  }

  #unavailable(reason: string, retrySafe = false): MicroError {
    return new MicroError('unavailable', `${this.#options.what}: ${reason}`, { retrySafe });
  }

  #taken(message: Message | undefined): Message | undefined {
    if (message === undefined) return undefined;
    this.#received++;
    this.#receivedBytes += bytesOfMessage(message);
    const isMuch =
      this.#received - this.#told >= windowMessages / 2 || this.#receivedBytes - this.#toldBytes >= windowBytes / 2;
    if (this.#isNative && isMuch) {
      this.#told = this.#received;
      this.#toldBytes = this.#receivedBytes;
      void this.#tell('room', { Received: String(this.#received) });
    }
    return message;
  }

  #onClose(): void {
    this.#hasPeer = false;
    this.#incoming.end();
    this.#onPeerClosed();
  }

  #tell(kind: ConversationKind, headers: Message['headers'] = {}): Promise<void> {
    return this.#options.transmit(kind, { headers, body: noBytes }).catch(() => {});
  }

  protected release(): void {
    this.#onPeerClosed();
    this.#incoming.end(this.lifetime.cause, { drop: true });
    this.#held?.release();
    this.#window.end(this.#failure ?? this.lifetime.closedError());
    if (this.#hasPeer && this.#isNative) void this.#tell(this.lifetime.cause ? 'gone' : 'close');
  }
}
