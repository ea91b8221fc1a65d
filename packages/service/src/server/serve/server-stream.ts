import { type AbortOptions, type Message, MicroError } from '@ts-micro/core';
import { Mailbox } from '@ts-micro/kit';
import { type MiddlewareCall, runMiddleware } from '../../middleware.ts';
import { type CodecUse, decodeBody, encodeBody, isLegacy } from '../../rpc/codec.ts';
import { errorOfThrown, formatError } from '../../rpc/error-text.ts';
import { endOfStream } from '../../rpc/headers.ts';
import { StreamEnd, type StreamLink } from '../../stream/stream-end.ts';
import { deliver, type ReadableExchange } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';
import type { StreamRoute } from './routes.ts';
import { logCrash } from './unary.ts';

/** Messages of a client that a handler has not received yet; beyond it the socket is not read any further. */
const maxQueuedMessages = 1024;

// A Go client that ends its side is gone, a bare one may still read the answers to what it sent.
const leaveGraceMs = 5000;

/** The server's end of one stream. The opener's body is not part of it, as in Go Micro. */
export class ServerStream {
  readonly #exchange: ReadableExchange;
  readonly #route: StreamRoute;
  readonly #context: HandlerContext;
  readonly #inbox: Mailbox<Message>;
  readonly #end: StreamEnd;
  readonly #requestUse: CodecUse;
  readonly #responseUse: CodecUse;
  /** What the terminal message says. */
  #lastWords: string = endOfStream;
  #hasPeerEnded = false;
  #failure: unknown;
  #graceTimer: NodeJS.Timeout | undefined;
  #onRoom: (() => void) | undefined;

  constructor(exchange: ReadableExchange, route: StreamRoute, context: HandlerContext) {
    this.#exchange = exchange;
    this.#route = route;
    this.#context = context;
    const what = `${exchange.core.name} ${route.endpoint}`;
    this.#inbox = new Mailbox(what);
    const { codec, id: requestId } = exchange.request;
    const id = isLegacy(codec) ? requestId : undefined;
    this.#requestUse = { ...route.requestUse, id };
    this.#responseUse = { ...route.responseUse, id };
    this.#end = new StreamEnd(this.#link(what));
  }

  /** Runs the handler and sends exactly one terminal message. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#call();
    } catch (thrown) {
      if (this.#failure === undefined) logCrash(this.#exchange, thrown);
      this.#failure ??= thrown ?? new MicroError('internal', 'the handler failed');
    }
    clearTimeout(this.#graceTimer);
    if (this.#failure !== undefined) {
      this.#exchange.core.limiter.errors++;
      this.#lastWords = formatError(errorOfThrown(this.#failure, this.#exchange.core.name));
    }
    await this.#end.close();
  }

  /** True once the client said that it sends no more. */
  get hasPeerEnded(): boolean {
    return this.#hasPeerEnded;
  }

  /** True where one more message would be too many. */
  get isFull(): boolean {
    return this.#inbox.size >= maxQueuedMessages;
  }

  /** Takes a further message of the client. */
  take(message: Message): void {
    if (this.#hasPeerEnded) return;
    this.#inbox.push(message);
    if (!this.#exchange.dialect.isEndOfStream(message)) return;
    this.#hasPeerEnded = true;
    this.#inbox.end();
    if (!this.#exchange.dialect.isHalfClose(message)) this.#leaveSoon();
  }

  /** Resolves once a message may be taken again, or nobody receives any more. */
  whenRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  /** Ends it early: what came is still received, then `reason`; sending is refused, and the handler is told. */
  fail(reason: MicroError): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    clearTimeout(this.#graceTimer);
    this.#inbox.end(reason);
    this.#wakeReader();
    this.#context.abort(reason);
  }

  #call(): unknown {
    const { core } = this.#exchange;
    if (core.middleware.length === 0) return this.#route.handler(this.#end, this.#context);
    const passing: MiddlewareCall = {
      side: 'server',
      kind: 'stream',
      service: core.name,
      name: this.#route.endpoint,
      headers: this.#context.metadata as Record<string, string>,
      payload: this.#end,
      context: this.#context,
    };
    return runMiddleware(core.middleware, passing, () =>
      this.#route.handler(passing.payload as StreamEnd, this.#context),
    );
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
      send: async (value, options) => {
        if (this.#failure !== undefined)
          throw new MicroError('closed', `${what}: the stream has failed`, { cause: this.#failure });
        const body = encodeBody(codec, value, this.#responseUse);
        await socket.send(dialect.streamMessage(request, body), options);
      },
      sendEnd: () => deliver(this.#exchange, dialect.error(request, this.#lastWords), this.#lastWords),
      outcome: (message) =>
        dialect.isEndOfStream(message) || dialect.failure(message, codec, this.#requestUse, core.name),
      decode: (message) => decodeBody(codec, message.body, this.#requestUse),
      release: () => {
        this.#inbox.end(undefined, { drop: true });
        this.#wakeReader();
      },
    };
  }

  #leaveSoon(): void {
    const leave = () =>
      this.fail(new MicroError('canceled', `${this.#context.endpoint}: the client has left the stream`));
    this.#graceTimer = setTimeout(leave, leaveGraceMs).unref();
  }

  #wakeReader(): void {
    this.#onRoom?.();
    this.#onRoom = undefined;
  }
}
