import { type AbortOptions, type Message, MicroError } from '@ts-micro/core';
import {
  bytesOfMessage,
  detachedMessage,
  type HeldBytes,
  isTurnOver,
  Mailbox,
  memoryOfMessage,
  ownTurnOfLoop,
  shown,
} from '@ts-micro/kit';
import { type MiddlewareCall, runMiddleware } from '../../middleware.ts';
import { type CodecUse, decodeBody, encodeBody, isLegacy } from '../../rpc/codec/codec.ts';
import { endOfStream } from '../../rpc/end-of-stream.ts';
import type { ErrorAnswer } from '../../rpc/error-origin.ts';
import { type StreamLink, StreamSide } from '../../stream/stream-side.ts';
import { deliver, peerOf, type ReadableExchange, runtimeError } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';
import type { OpenStream } from './open-streams.ts';
import type { StreamRoute } from './routes.ts';
import { lateAnswer, thrownAnswer } from './thrown-answer.ts';
import { logCrash } from './unary.ts';

/** What a client sent and a handler has not received yet; beyond it the socket is not read any further. */
const maxQueuedMessages = 1024;
const maxQueuedBytes: number = 1024 * 1024;
/**
 * The same where the socket gives no notice of the client's end: it is read on, as only that finds the end, and slows
 * nobody down. Beyond it the stream fails.
 */
const maxQueuedWithoutNotice = 16_384;
/** The same where the socket is read on for others as well. */
const maxQueuedBytesReadOn: number = 64 * 1024 * 1024;

/** So many streams at once keep the event loop for no longer than their windows allow. */
const fewStreams = 8;

// A Go client that ends its side is gone, a bare one may still read the answers to what it sent.
const leaveGraceMs = 5000;

/** The server's side of one stream. The opener's body is not part of it, as in Go Micro. */
export class ServerStream implements OpenStream {
  readonly peer: string;
  lastActive: number = performance.now();
  isSilent = true;
  readonly #exchange: ReadableExchange;
  readonly #route: StreamRoute;
  readonly #context: HandlerContext;
  readonly #hasSocketAlone: boolean;
  readonly #maxQueued: number;
  readonly #maxQueuedBytes: number;
  readonly #held: HeldBytes;
  readonly #inbox: Mailbox<Message>;
  readonly #side: StreamSide;
  readonly #requestUse: CodecUse;
  readonly #responseUse: CodecUse;
  /** The content of the terminal message. */
  #lastWords: ErrorAnswer = { text: endOfStream, origin: 'handler' };
  #hasPeerEnded = false;
  #wasShed = false;
  #hasPeerLeft = false;
  #failure: MicroError | undefined;
  /** What the last value that could not be encoded failed with. */
  #unsendable: unknown;
  #graceTimer: NodeJS.Timeout | undefined;
  #onRoom: (() => void) | undefined;

  /** `hasSocketAlone` where nothing else was asked on its socket, so that its end is the last message there. */
  constructor(exchange: ReadableExchange, route: StreamRoute, context: HandlerContext, hasSocketAlone: boolean) {
    this.peer = peerOf(exchange);
    this.#exchange = exchange;
    this.#route = route;
    this.#context = context;
    this.#hasSocketAlone = hasSocketAlone;
    const hasNotice = exchange.socket.peerClosed !== undefined;
    this.#maxQueued = hasNotice ? maxQueuedMessages : maxQueuedWithoutNotice;
    this.#maxQueuedBytes = hasNotice && hasSocketAlone ? maxQueuedBytes : maxQueuedBytesReadOn;
    const what = `${exchange.core.name} ${route.endpoint}`;
    const shed = ({ message: why }: MicroError) => this.#giveWay(why);
    const held = exchange.core.unread.holding({ peer: this.peer, shed });
    this.#held = held;
    this.#inbox = new Mailbox(what, undefined, {
      of: bytesOfMessage,
      held,
      detach: detachedMessage,
      memoryOf: memoryOfMessage,
    });
    const { codec, id: requestId } = exchange.request;
    const id = isLegacy(codec) ? requestId : undefined;
    this.#requestUse = { ...route.requestUse, id };
    this.#responseUse = { ...route.responseUse, id };
    this.#side = new StreamSide(this.#link(what));
  }

  /** Resolves once the handler has settled; `end` then says so to the client. Never rejects. */
  async run(): Promise<void> {
    const { core } = this.#exchange;
    let answer: ErrorAnswer | undefined;
    try {
      await this.#call();
      answer = lateAnswer(this.#context, core.name);
    } catch (thrown) {
      answer = this.#answerOf(thrown);
    }
    clearTimeout(this.#graceTimer);
    if (this.#failure !== undefined) answer = runtimeError(503, this.#failure.message, 'failed');
    if (answer === undefined) return;
    core.limiter.errors++;
    this.#lastWords = answer;
  }

  /** Sends exactly one terminal message. Never rejects. */
  end(): Promise<void> {
    return this.#side.close();
  }

  /** True once the client said that it sends no more. */
  get hasPeerEnded(): boolean {
    return this.#hasPeerEnded;
  }

  /** True where it ended for others. */
  get wasShed(): boolean {
    return this.#wasShed;
  }

  /** True where one more message would be too many. */
  get isFull(): boolean {
    const { size, bytes } = this.#inbox;
    return !this.#hasPeerLeft && (size >= this.#maxQueued || bytes >= this.#maxQueuedBytes);
  }

  /** Takes a further message of the client. */
  take(message: Message): void {
    const { dialect } = this.#exchange;
    this.#active();
    const isEnd = dialect.isEndOfStream(message);
    const ending = isEnd ? dialect.endingOf(message) : undefined;
    if (ending === 'canceled') {
      // No end to be received: half of an upload must not look like the whole.
      this.#hasPeerEnded = true;
      this.fail(this.#left('canceled'), { drop: true });
      return;
    }
    if (!this.#hasPeerEnded) this.#inbox.push(message);
    if (!isEnd) return;
    this.#hasPeerEnded = true;
    this.#inbox.end();
    if (ending === 'closed') this.leave();
    else if (ending === undefined) this.#leaveSoon();
  }

  /** Resolves once a message may be taken again, or nobody receives any more. */
  whenRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  /**
   * The client is gone: the handler is told, and nothing more can be sent; what came, or is still to be read, can be
   * received.
   */
  leave(): void {
    this.#hasPeerLeft = true;
    const reason = this.#left('left');
    this.#refuseSending(reason);
    this.#context.abort(reason);
    this.#wakeReader();
  }

  /**
   * Ends it early: sending is refused, the handler is told, and what came is still received unless it is dropped, then
   * `reason`.
   */
  fail(reason: MicroError, { drop = false }: { readonly drop?: boolean } = {}): void {
    this.#inbox.end(reason, { drop });
    this.#failure ??= reason;
    clearTimeout(this.#graceTimer);
    this.#wakeReader();
    this.#refuseSending(reason);
    this.#context.abort(reason);
  }

  /** Ends it because others need its place, and tells the client so, whatever the handler does. */
  shed(): void {
    this.#giveWay('too many streams are open, and this one was quiet for longest');
  }

  #giveWay(why: string): void {
    const { core } = this.#exchange;
    this.#wasShed = true;
    const reason = new MicroError('unavailable', `${core.name} ${this.#context.endpoint}: ${why}`);
    this.fail(reason, { drop: true });
    this.#lastWords = runtimeError(503, reason.message, 'failed');
    core.limiter.refused++;
    core.limitedLogger.warn('stream ended for others', {
      service: core.name,
      remote: shown(this.#exchange.socket.remote),
    });
    void this.#side.close();
  }

  #active(): void {
    this.lastActive = performance.now();
    this.isSilent = false;
  }

  #refuseSending(cause: MicroError): void {
    this.#side.stopSending(new MicroError('closed', `${cause.message}; nothing can be sent any more`, { cause }));
  }

  #call(): unknown {
    const { core } = this.#exchange;
    if (core.middleware.length === 0) return this.#route.handler(this.#side, this.#context);
    const passing: MiddlewareCall = {
      side: 'server',
      kind: 'stream',
      service: core.name,
      name: this.#route.endpoint,
      carrier: core.transport,
      headers: this.#context.metadata as Record<string, string>,
      payload: this.#side,
      context: this.#context,
    };
    return runMiddleware(core.middleware, passing, () =>
      this.#route.handler(passing.payload as StreamSide, this.#context),
    );
  }

  #answerOf(thrown: unknown): ErrorAnswer {
    const { core } = this.#exchange;
    // A value of its own that cannot be sent is the service's mistake, as it is of a unary handler.
    if (thrown !== undefined && thrown === this.#unsendable) {
      core.logger.error('response not encoded', { service: core.name, endpoint: this.#route.endpoint, error: thrown });
      return runtimeError(500, MicroError.textOf(thrown), 'failed');
    }
    if (this.#failure === undefined) logCrash(this.#exchange, thrown);
    return thrownAnswer(thrown, this.#context, core.name);
  }

  #encode(value: unknown): Uint8Array {
    try {
      return encodeBody(this.#exchange.request.codec, value, this.#responseUse);
    } catch (error) {
      this.#unsendable = error;
      throw error;
    }
  }

  #link(what: string): StreamLink {
    const { core, socket, dialect, request } = this.#exchange;
    const { codec } = request;
    return {
      what,
      isPeerEndFinal: false,
      receive: async (options?: AbortOptions) => {
        const message = await this.#inbox.pull(options);
        if (!this.isFull) this.#wakeReader();
        return message;
      },
      receiveNow: () => {
        const message = this.#inbox.take();
        if (message !== undefined && !this.isFull) this.#wakeReader();
        return message;
      },
      send: (value, options) => {
        this.#active();
        const sent = socket.send(dialect.streamMessage(request, this.#encode(value)), options);
        // Many streams that send without end, each of them at once, would keep what comes in from being read.
        const isOneOfMany = core.limiter.streams.size > fewStreams;
        return isOneOfMany && isTurnOver(this.lastActive) ? sent.then(ownTurnOfLoop) : sent;
      },
      sendEnd: () => {
        const words = this.#lastWords;
        return deliver(this.#exchange, dialect.error(request, words), words, { isLast: this.#hasSocketAlone });
      },
      outcome: (message) =>
        dialect.isEndOfStream(message) || dialect.failure(message, codec, this.#requestUse, core.name),
      decode: (message) => decodeBody(codec, message.body, this.#requestUse),
      release: () => {
        this.#inbox.end(undefined, { drop: true });
        this.#held.release();
        this.#wakeReader();
      },
    };
  }

  #leaveSoon(): void {
    this.#graceTimer = setTimeout(() => this.fail(this.#left('left')), leaveGraceMs).unref();
  }

  #left(how: 'left' | 'canceled'): MicroError {
    return new MicroError('canceled', `${this.#context.endpoint}: the client has ${how} the stream`);
  }

  #wakeReader(): void {
    this.#onRoom?.();
    this.#onRoom = undefined;
  }
}
