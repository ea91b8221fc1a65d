import { type AbortOptions, type Message, MicroError } from '@ts-micro/core';
import { abortFanOut, Lifetime } from '@ts-micro/kit';
import type { StreamEnding } from '../rpc/end-of-stream.ts';
import type { MessageStream } from './message-stream.ts';
import { nothingWaits, StreamReader } from './stream-reader.ts';

/** The side of a stream as its socket sees it; client and server differ in it. */
export interface StreamLink {
  /** Begins the message of every error: `greeter Greeter.Chat`. */
  readonly what: string;
  /** True where the peer's end is the end of everything, as it is on the client. */
  readonly isPeerEndFinal: boolean;
  /** The peer's next message; `undefined` where the socket ended. */
  receive(options?: AbortOptions): Promise<Message | undefined>;
  /** The peer's next message where one waits already. */
  receiveNow(): Message | undefined;
  /** Sends a value; the signal aborts where the side can send nothing more. */
  send(value: unknown, options: AbortOptions): Promise<void>;
  /** Tells the peer that nothing more is sent, past every window. Must not take long where the side has left. */
  sendEnd(ending: StreamEnding, options?: AbortOptions): Promise<void>;
  /** True for the message of the peer that ends the stream, a `MicroError` for one that fails it. */
  outcome(message: Message): true | MicroError | undefined;
  /** Throws `malformed`. */
  decode(message: Message): unknown;
  /** Gives back what the stream held; a pending `receive` ends. */
  release(options: AbortOptions): unknown;
}

/** One side of a stream: order, ends and errors, the same on client and server. */
export class StreamSide<Send = unknown, Receive = unknown> implements MessageStream<Send, Receive> {
  readonly #link: StreamLink;
  readonly #life: Lifetime;
  /** Aborts what waits to be sent. */
  readonly #sending = new AbortController();
  readonly #untilStopped: AbortOptions = { signal: this.#sending.signal };
  readonly #failedSend = (error: unknown): never => {
    throw this.#stopped ?? error;
  };
  /** Receives that wait. */
  #waiting = 0;
  #ending: Promise<void> | undefined;
  /** Set once nothing more can come: `true` after the peer's end, else the error it ended with. */
  #outcome: true | MicroError | undefined;
  /** Why nothing can be sent any more. */
  #stopped: MicroError | undefined;

  constructor(link: StreamLink) {
    this.#link = link;
    this.#life = new Lifetime(link.what, (options) => this.#leave(options));
  }

  get closed(): Promise<MicroError | undefined> {
    return this.#life.closed;
  }

  get sendSignal(): AbortSignal {
    return this.#sending.signal;
  }

  send(value: Send, options?: AbortOptions): Promise<void> {
    try {
      if (this.#stopped !== undefined) throw this.#stopped;
      this.#life.assertOpen(options);
      if (this.#ending !== undefined)
        throw new MicroError('closed', `${this.#link.what}: this side of the stream has ended`);
      if (options?.signal !== undefined) return this.#whileOpen((limited) => this.#link.send(value, limited), options);
      // What goes through at once, as nearly all does, costs no more than a promise.
      return this.#link.send(value, this.#untilStopped).then(undefined, this.#failedSend);
    } catch (error) {
      return Promise.reject(this.#stopped ?? error);
    }
  }

  receive(options?: AbortOptions): Promise<Receive | undefined> {
    try {
      const value = this.receiveNow(options);
      return value === nothingWaits ? this.#receiveLater(options) : Promise.resolve(value);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The next value where it is there already, and no receive waits, which comes first; `undefined` at the end. Throws
   * as {@link receive} rejects.
   */
  receiveNow(options?: AbortOptions): Receive | undefined | typeof nothingWaits {
    if (this.#outcome !== undefined) return this.#over();
    this.#life.assertOpen(options);
    if (this.#waiting > 0) return nothingWaits;
    const message = this.#link.receiveNow();
    return message === undefined ? nothingWaits : this.#valueOf(message);
  }

  async end(options?: AbortOptions): Promise<void> {
    if (this.#ending === undefined) {
      this.#life.assertOpen(options);
      this.#ending = this.#whileOpen((limited) => this.#link.sendEnd('reading', limited), options);
    }
    await this.#ending;
  }

  close(options?: AbortOptions): Promise<void> {
    return this.#life.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#life.close();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Receive, void, undefined> {
    return new StreamReader(this);
  }

  /** Whether a loop goes on: where this side closed the stream between two values, it is over as well. */
  get isReadable(): boolean {
    return this.#life.isOpen || this.#outcome !== undefined;
  }

  /**
   * A loop was left. A client that leaves it, by `break`, `return` or an error, wants no more of it. A handler may have
   * its last words yet: what it sends, returns or throws ends its side.
   */
  async leave(): Promise<void> {
    if (this.#link.isPeerEndFinal) await this.close();
  }

  /** Nothing more comes from the peer: `true` after its end, else why. The first one counts. */
  finish(outcome: true | MicroError): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    if (!this.#link.isPeerEndFinal) return;
    this.foresee(outcome);
    if (outcome === true) void this.#life.close();
    else void this.#life.fail(outcome);
  }

  /** How the peer ends it is known, though what it sent before was not received yet: nothing can be sent any more. */
  foresee(outcome: true | MicroError): void {
    this.stopSending(
      outcome === true ? new MicroError('closed', `${this.#link.what}: the peer has ended the stream`) : outcome,
    );
  }

  /** Refuses what waits to be sent, and all that is sent from now on; the first reason counts. */
  stopSending(reason: MicroError): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = reason;
    this.#sending.abort(reason);
  }

  async #leave(options: AbortOptions): Promise<void> {
    this.stopSending(this.#life.closedError());
    try {
      // After the peer's own end as well: it lets a Go server forget the socket. And after an end that said "reading".
      if (this.#ending === undefined || (this.#link.isPeerEndFinal && this.#outcome !== true)) {
        const ending = this.#outcome === undefined || this.#outcome === true ? 'closed' : 'canceled';
        this.#ending = this.#link.sendEnd(ending, options);
        await this.#ending;
      }
    } finally {
      await this.#link.release(options);
    }
  }

  async #receiveLater(options: AbortOptions | undefined): Promise<Receive | undefined> {
    this.#waiting++;
    try {
      const message = await this.#link.receive(options);
      if (message !== undefined) return this.#valueOf(message);
      // Another receive may have taken the end; or this side closed while waiting.
      if (this.#outcome === undefined && this.#life.isOpen) {
        this.finish(new MicroError('unavailable', `${this.#link.what}: the peer of the stream is gone`));
      }
      return this.#over();
    } finally {
      this.#waiting--;
    }
  }

  #valueOf(message: Message): Receive | undefined {
    const outcome = this.#link.outcome(message);
    if (outcome === undefined) return this.#link.decode(message) as Receive;
    this.finish(outcome);
    return this.#over();
  }

  #over(): undefined {
    if (this.#outcome !== true && this.#outcome !== undefined) throw this.#outcome;
    return undefined;
  }

  /** Sends until the caller's signal aborts or this side can send nothing more. */
  async #whileOpen(send: (limited: AbortOptions) => Promise<void>, options: AbortOptions | undefined): Promise<void> {
    const given = options?.signal;
    const either = given === undefined ? undefined : eitherSignal(given, this.#sending.signal);
    try {
      await send(either ?? this.#untilStopped);
    } catch (error) {
      throw this.#stopped === undefined || given?.aborted ? error : this.#stopped;
    } finally {
      either?.release();
    }
  }
}

/** A signal that aborts with either, until it is released. */
function eitherSignal(...signals: AbortSignal[]): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const relay = { onAbort: ({ reason }: AbortSignal) => controller.abort(reason) };
  for (const signal of signals) {
    if (signal.aborted) relay.onAbort(signal);
    else abortFanOut.add(signal, relay);
  }
  return {
    signal: controller.signal,
    release() {
      for (const signal of signals) abortFanOut.delete(signal, relay);
    },
  };
}
