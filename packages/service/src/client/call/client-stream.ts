import { type AbortOptions, abortError, type Message, MicroError, type SendOptions, type Socket } from '@ts-micro/core';
import { type Abortable, abortFanOut, bounded, pause } from '@ts-micro/kit';
import { type CodecUse, encodeBody } from '../../rpc/codec/codec.ts';
import type { WireCodec } from '../../rpc/codec/codecs.ts';
import type { Dialect } from '../../rpc/dialect.ts';
import type { StreamEnding } from '../../rpc/end-of-stream.ts';
import type { StreamRequest } from '../../rpc/request.ts';
import { type StreamLink, StreamSide } from '../../stream/stream-side.ts';
import type { Attempts } from '../retry/attempts.ts';
import { Deadline } from './deadline-clock.ts';
import { ReadAhead } from './read-ahead.ts';

/** The longest that leaving waits until its last message is handed to the backend. */
const leaveTimeoutMs = 250;
/** How long a send that found the peer gone waits for what the peer said last. */
const lastWordsMs = 50;

/** A stream whose opener was sent. */
export interface OpenedStream {
  /** `client: greeter Greeter.Chat at greeter-1` */
  readonly what: string;
  readonly service: string;
  readonly address: string;
  readonly socket: Socket;
  readonly dialect: Dialect;
  readonly wire: WireCodec;
  /** The part that every message of the stream repeats. */
  readonly request: StreamRequest;
  readonly idleMs: number;
  readonly signals: readonly AbortSignal[];
}

/**
 * The client's side of a stream, on a socket of its own: ended by the peer, by its signals, or by the peer's silence
 * while somebody receives.
 */
export class ClientStream extends Deadline implements StreamLink, Abortable {
  readonly what: string;
  readonly isPeerEndFinal = true;
  readonly stream: StreamSide;
  readonly #opened: OpenedStream;
  readonly #use: CodecUse;
  readonly #attempts: Attempts;
  readonly #onReleased: (stream: ClientStream) => void;
  #ahead: ReadAhead | undefined;
  /** Receives that wait at the socket itself. */
  #receiving = 0;
  #hasHeard = false;

  constructor(opened: OpenedStream, attempts: Attempts, onReleased: (stream: ClientStream) => void) {
    super();
    this.what = opened.what;
    this.#opened = opened;
    this.#use = { kind: 'response', name: opened.request.endpoint, id: opened.request.id };
    this.#attempts = attempts;
    this.#onReleased = onReleased;
    this.stream = new StreamSide(this);
    for (const signal of opened.signals) {
      if (signal.aborted) this.onAbort(signal);
      else abortFanOut.add(signal, this);
    }
    const { peerClosed } = opened.socket;
    // Without a notice only the end itself tells, however much is before it.
    if (peerClosed === undefined) this.#readAhead({ isBounded: true });
    // What is left is bounded by the window.
    else void peerClosed.then(() => this.#readAhead({ isBounded: false }));
  }

  send(value: unknown, options: AbortOptions): Promise<void> {
    const { dialect, request, wire, socket } = this.#opened;
    const body = encodeBody(wire.codec, value, { kind: 'request', name: request.endpoint, id: request.id });
    return this.#watchedSend(socket.send(dialect.streamRequest(request, body), options), options);
  }

  async sendEnd(ending: StreamEnding, options: AbortOptions = {}): Promise<void> {
    const { dialect, request, socket } = this.#opened;
    const last: SendOptions = { ...options, isLast: true };
    const sending = socket.send(dialect.endOfStream(request, ending), last);
    if (ending === 'reading') await this.#watchedSend(sending, options);
    // If the peer is gone there is nobody to tell.
    else await bounded(sending, options, leaveTimeoutMs, this.what).catch(() => {});
  }

  receiveNow(): Message | undefined {
    const message = this.#ahead === undefined ? this.#opened.socket.receiveNow?.() : this.#ahead.take();
    this.#hasHeard ||= message !== undefined;
    return message;
  }

  async receive(options?: AbortOptions): Promise<Message | undefined> {
    const { clock } = this.#attempts;
    clock.start(this, this.#opened.idleMs);
    try {
      const message = await (this.#ahead?.pull(options) ?? this.#receiveDirectly(options));
      this.#hasHeard ||= message !== undefined;
      return message;
    } catch (error) {
      this.#onFailure(error, options);
      throw error;
    } finally {
      clock.stop(this);
    }
  }

  outcome(message: Message): true | MicroError | undefined {
    const { dialect, wire, service } = this.#opened;
    return dialect.isEndOfStream(message) || dialect.failure(message, wire.codec, this.#use, service);
  }

  decode(message: Message): unknown {
    const { dialect, wire, service } = this.#opened;
    const value = dialect.value(message, wire.codec, this.#use, service);
    // It would look like the end.
    if (value === undefined) throw new MicroError('malformed', `${this.what}: a message without a value`);
    return value;
  }

  async release(): Promise<void> {
    this.#attempts.clock.stop(this);
    for (const signal of this.#opened.signals) abortFanOut.delete(signal, this);
    this.#onReleased(this);
    this.#ahead?.close();
    await this.#opened.socket.close();
  }

  onDeadline(): void {
    this.stream.finish(new MicroError('timeout', `${this.what}: nothing came in ${this.#opened.idleMs} ms`));
  }

  onAbort(signal: AbortSignal): void {
    this.stream.finish(abortError(signal, this.what));
  }

  async #receiveDirectly(options: AbortOptions | undefined): Promise<Message | undefined> {
    this.#receiving++;
    try {
      return await this.#opened.socket.receive(options);
    } finally {
      this.#receiving--;
    }
  }

  #readAhead({ isBounded }: { readonly isBounded: boolean }): void {
    const { what } = this;
    const mayMissTheEnd = this.#receiving > 0;
    let outcome: true | MicroError | undefined;
    const isEnd = (message: Message): boolean => {
      outcome = this.outcome(message);
      return outcome !== undefined;
    };
    this.#ahead = new ReadAhead(this.#opened.socket, { what, isBounded, isEnd });
    void this.#ahead.done.then(({ failure, isFull }) => {
      if (outcome === undefined && mayMissTheEnd) return;
      this.stream.foresee(
        outcome ?? failure ?? new MicroError('unavailable', `${what}: the peer of the stream is gone`),
      );
      if (isFull) void this.#refuseMore();
    });
  }

  /** What came can still be received; the peer is told to send no more, and what comes all the same is not held. */
  async #refuseMore(): Promise<void> {
    await this.sendEnd('canceled');
    await this.#opened.socket.close();
  }

  async #watchedSend(sending: Promise<void>, options: AbortOptions): Promise<void> {
    try {
      await sending;
    } catch (error) {
      // What it said before it closed tells more than that it has.
      if (MicroError.is(error, 'unavailable') && this.#opened.socket.peerClosed !== undefined) await this.#lastWords();
      if (!options.signal?.aborted) this.#onFailure(error, options);
      throw error;
    }
  }

  async #lastWords(): Promise<void> {
    const { peerClosed } = this.#opened.socket;
    await Promise.race([peerClosed?.then(() => this.#ahead?.done), pause(lastWordsMs)]);
  }

  /**
   * A socket that fails has failed for good: the stream ends with that, and a node that never said a word is left
   * alone for a while.
   */
  #onFailure(error: unknown, options: AbortOptions | undefined): void {
    if (!MicroError.is(error, 'unavailable') || options?.signal?.aborted) return;
    if (!this.#hasHeard) this.#attempts.suspect(this.#opened.service, this.#opened.address);
    this.stream.finish(error);
  }
}
