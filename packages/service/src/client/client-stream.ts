import { type AbortOptions, abortError, type Message, MicroError, type Socket } from '@ts-micro/core';
import { encodeBody } from '../rpc/codec.ts';
import type { WireCodec } from '../rpc/codecs.ts';
import type { Dialect } from '../rpc/dialect.ts';
import type { StreamRequest } from '../rpc/request.ts';
import { StreamEnd, type StreamLink } from '../stream/stream-end.ts';
import type { Abortable } from './abort-fan-out.ts';
import type { Attempts } from './attempts.ts';
import { Deadline } from './deadline-clock.ts';

/** A stream whose opener was sent. */
export interface OpenedStream {
  /** `client: greeter Greeter.Chat at greeter-1` */
  readonly what: string;
  readonly service: string;
  readonly address: string;
  readonly socket: Socket;
  readonly dialect: Dialect;
  readonly wire: WireCodec;
  /** What every message of the stream repeats. */
  readonly request: StreamRequest;
  readonly idleMs: number;
  readonly signals: readonly AbortSignal[];
}

/** The client's end of a stream, on a socket of its own: ended by the peer, by its signals, or by the peer's silence while somebody receives. */
export class ClientStream extends Deadline implements StreamLink, Abortable {
  readonly what: string;
  readonly isPeerEndFinal = true;
  readonly stream: StreamEnd;
  readonly #opened: OpenedStream;
  readonly #attempts: Attempts;
  readonly #onReleased: (stream: ClientStream) => void;
  #hasHeard = false;

  constructor(opened: OpenedStream, attempts: Attempts, onReleased: (stream: ClientStream) => void) {
    super();
    this.what = opened.what;
    this.#opened = opened;
    this.#attempts = attempts;
    this.#onReleased = onReleased;
    this.stream = new StreamEnd(this);
    for (const signal of opened.signals) {
      if (signal.aborted) this.onAbort(signal);
      else attempts.signals.add(signal, this);
    }
  }

  async send(value: unknown, options?: AbortOptions): Promise<void> {
    const { dialect, request, wire, socket } = this.#opened;
    const { endpoint, id } = request;
    const body = encodeBody(wire.codec, value, { kind: 'request', name: endpoint, id });
    await this.#watched(socket.send(dialect.streamRequest(request, body), options), options);
  }

  async sendEnd(isReading: boolean, options?: AbortOptions): Promise<void> {
    const { dialect, request, socket } = this.#opened;
    const sending = socket.send(dialect.endOfStream(request, isReading), options);
    if (isReading) await this.#watched(sending, options);
    // When closing, also after the peer's own end: it lets a Go server forget the socket. If the peer is gone there is nobody to tell.
    else await sending.catch(() => {});
  }

  async receive(options?: AbortOptions): Promise<Message | undefined> {
    const { clock } = this.#attempts;
    clock.start(this, this.#opened.idleMs);
    try {
      const message = await this.#watched(this.#opened.socket.receive(options), options);
      this.#hasHeard ||= message !== undefined;
      return message;
    } finally {
      clock.stop(this);
    }
  }

  outcome(message: Message): true | MicroError | undefined {
    const { dialect, wire, request, service } = this.#opened;
    const use = { kind: 'response', name: request.endpoint, id: request.id } as const;
    return dialect.isEndOfStream(message) || dialect.failure(message, wire.codec, use, service);
  }

  decode(message: Message): unknown {
    const { dialect, wire, request, service } = this.#opened;
    return dialect.value(message, wire.codec, { kind: 'response', name: request.endpoint, id: request.id }, service);
  }

  async release(): Promise<void> {
    this.#attempts.clock.stop(this);
    for (const signal of this.#opened.signals) this.#attempts.signals.delete(signal, this);
    this.#onReleased(this);
    await this.#opened.socket.close();
  }

  onDeadline(): void {
    this.stream.finish(new MicroError('timeout', `${this.what}: nothing came in ${this.#opened.idleMs} ms`));
  }

  onAbort(signal: AbortSignal): void {
    this.stream.finish(abortError(signal, this.what));
  }

  /** A socket that fails has failed for good: the stream ends with that, and a node that never said a word is left alone for a while. */
  async #watched<T>(exchange: Promise<T>, options: AbortOptions | undefined): Promise<T> {
    try {
      return await exchange;
    } catch (error) {
      if (MicroError.is(error, 'unavailable') && !options?.signal?.aborted) {
        if (!this.#hasHeard) this.#attempts.suspect(this.#opened.service, this.#opened.address);
        this.stream.finish(error);
      }
      throw error;
    }
  }
}
