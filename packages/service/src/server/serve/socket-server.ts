import { type Message, MicroError, type Socket } from '@ts-micro/core';
import { isTurnOver, ownTurnOfLoop } from '@ts-micro/kit';
import { dialectOfMessage } from '../../rpc/dialects.ts';
import type { ErrorAnswer } from '../../rpc/error-origin.ts';
import { eventAckMessage } from '../../rpc/go-micro/reply.ts';
import type { RefusedSocket } from '../lifecycle/refused-sockets.ts';
import { type Admission, admit, contextOf, isError, overload, readRequest, routeOf } from './admission.ts';
import { answerError, deliver, type Exchange, isReadable, peerOf, type ReadableExchange } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';
import type { StreamRoute, UnaryRoute } from './routes.ts';
import { ServerStream } from './server-stream.ts';
import type { ServiceCore } from './service-core.ts';
import { answerUnary } from './unary.ts';

/**
 * Runs the subscribers of a topic for an event that came over the transport; resolves with the error text where one
 * failed.
 */
export type EventRelay = (message: Message, context: HandlerContext) => Promise<string | undefined>;

// Requests of one socket; beyond it the socket is read no further. Who asks one thing at a time never comes near.
const maxInFlight = 256;

// Streams that ended here and whose client has not said its end yet.
const maxEndedStreams = 256;

/**
 * Serves one socket of the listener: requests side by side, so that no handler delays another, answers as they come.
 * (Go Micro: `ServeConn`.)
 */
export class SocketServer implements RefusedSocket {
  readonly #core: ServiceCore;
  readonly #socket: Socket;
  readonly #relay: EventRelay;
  readonly #streams = new Map<string, ServerStream>();
  readonly #endedStreams = new Set<string>();
  readonly #asked = new AskedRequests();
  /** Messages not yet answered, and streams not yet ended. */
  #inFlight = 0;
  /** The same, and those that are over. */
  #exchanges = 0;
  /** The peer has said that it asks nothing more. */
  #isLast = false;
  /** Its only stream was refused, and its peer cannot be told that it closes. */
  #isRefused = false;
  #hasLeft = false;
  #isAbandoned = false;
  #onIdle: (() => void) | undefined;
  #onFewer: (() => void) | undefined;
  #onEnd: (cause: unknown) => void = () => {};
  readonly #next = (message: Message | undefined): void => {
    let turn: Promise<void> | undefined;
    try {
      if (message === undefined) this.#hasLeft = true;
      else turn = this.#take(message);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (this.#isFull) turn = (turn ?? Promise.resolve()).then(() => this.#whenFewer());
    if (turn === undefined) this.#receive();
    else turn.then(this.#receive, this.#failed);
  };
  // No loop of an async function, which would cost each message two more promises and keep it until the next one
  // comes, however large and long ago.
  readonly #receive = (): void => {
    // Also while the last request is answered, as its caller may leave before.
    if (this.#hasLeft || (this.#isLast && this.#inFlight === 0)) this.#onEnd(undefined);
    else this.#socket.receive().then(this.#next, this.#failed);
  };
  readonly #failed = (error: unknown): void => {
    this.#core.limitedLogger.debug('socket failed', { service: this.#core.name, remote: this.#socket.remote, error });
    this.#onEnd(error);
  };

  constructor(core: ServiceCore, socket: Socket, relay: EventRelay) {
    this.#core = core;
    this.#socket = socket;
    this.#relay = relay;
  }

  /**
   * Resolves once the peer is gone, or said that it is done, and everything it asked for has been answered. Never
   * rejects.
   */
  async run(): Promise<void> {
    const cause = await new Promise<unknown>((resolve) => {
      this.#onEnd = resolve;
      this.#receive();
    });
    this.#hasLeft = true;
    if (this.#isRefused) this.#core.refusedSockets.delete(this);
    // Most sockets carry none, and an error for nothing costs more than all else here.
    if (this.#streams.size > 0)
      this.#failStreams(
        new MicroError('unavailable', `${this.#core.name}: the client of the stream is gone`, { cause }),
      );
    // Without a notice the end may only mean that nothing came for long, as from a Go client that waits for its answer.
    if (cause !== undefined || this.#socket.peerClosed !== undefined) this.#tellAsked(cause);
    if (this.#inFlight > 0 && !this.#isAbandoned) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
  }

  /** The gate is shut: closes the socket once what it has is answered, which may be now. */
  drain(): void {
    if (this.#inFlight === 0) void this.#socket.close();
  }

  /** Tells the handlers of streams to stop. */
  abort(reason: MicroError): void {
    this.#failStreams(reason);
  }

  /** Waits for nothing any more. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#onFewer?.();
    this.#onIdle?.();
    void this.#socket.close();
  }

  endRefused(): boolean {
    if (this.#inFlight > 0) return false;
    this.#isRefused = false;
    if (this.#exchanges > 1) return true;
    this.#isLast = true;
    void this.#socket.close();
    return true;
  }

  /** Serves one message; the promise it may return is waited for before the next one is received. */
  #take(message: Message): Promise<void> | undefined {
    if (this.#isRefused) this.#core.refusedSockets.heard(this);
    const dialect = dialectOfMessage(message);
    const request = readRequest(this.#core, dialect.parse(message, this.#core.codecs));
    // Who said that it asks nothing more is only heard for the streams it has open.
    if (this.#isLast && (request.kind !== 'stream' || !this.#streams.has(request.streamId))) return undefined;
    if (request.isLast) this.#isLast = true;
    const exchange: Exchange = { core: this.#core, socket: this.#socket, dialect, request };
    if (request.kind === 'stream') {
      // Of very many messages of very many sockets, each handled at once, the event loop would not turn for seconds.
      // Requests wait for their turn in the limiter.
      if (isTurnOver()) return ownTurnOfLoop().then(() => this.#takeStream(exchange, message));
      return this.#takeStream(exchange, message);
    }
    this.#inFlight++;
    this.#exchanges++;
    if (request.kind === 'event') this.#admit(exchange, undefined);
    else this.#takeUnary(exchange);
    return undefined;
  }

  #takeUnary(exchange: Exchange): void {
    const route = routeOf(this.#core, exchange.request, 'unary');
    if (!isReadable(exchange)) this.#answerUnreadable(exchange);
    else if (isError(route)) this.#refuse(exchange, route);
    else this.#admit(exchange, route as UnaryRoute);
  }

  #takeStream(exchange: Exchange, message: Message): Promise<void> | undefined {
    const { request, dialect } = exchange;
    const { streamId } = request;
    const active = this.#streams.get(streamId);
    if (active !== undefined) return this.#continueStream(active, message);
    if (dialect.isEndOfStream(message)) {
      // The late end of a stream that is over: Go Micro since v5.1 takes it for the end of the socket.
      this.#endedStreams.delete(streamId);
      if (this.#streams.size === 0) this.#isLast = true;
      return undefined;
    }
    // What was under way when the stream ended here must not open a second one.
    if (this.#endedStreams.has(streamId)) return undefined;
    this.#inFlight++;
    this.#exchanges++;
    this.#openStream(exchange);
    return undefined;
  }

  #openStream(exchange: Exchange): void {
    const { streamId } = exchange.request;
    const route = routeOf(this.#core, exchange.request, 'stream');
    if (isReadable(exchange) && !isError(route) && this.#core.limiter.streams.makeRoom(peerOf(exchange))) {
      void this.#runStream(exchange, route as StreamRoute, streamId);
      return;
    }
    this.#rememberEnded(streamId);
    if (isReadable(exchange) && !isError(route)) {
      this.#core.limiter.refused++;
      this.#endAfterRefusal();
      this.#refuse(exchange, overload(this.#core));
      return;
    }
    this.#endOnceQuiet();
    if (!isReadable(exchange)) this.#answerUnreadable(exchange);
    else this.#refuse(exchange, route as ErrorAnswer);
  }

  #continueStream(stream: ServerStream, message: Message): Promise<void> | undefined {
    stream.take(message);
    if (!stream.isFull) return undefined;
    // A socket of its own is simply read no further, which slows the sender down; one that others use must go on.
    if (this.#inFlight === 1 && this.#socket.peerClosed !== undefined) return stream.whenRoom();
    stream.fail(new MicroError('unavailable', `${this.#core.name}: a stream received faster than it was read`));
    return undefined;
  }

  async #runStream(exchange: ReadableExchange, route: StreamRoute, streamId: string): Promise<void> {
    const { limiter } = this.#core;
    const context = contextOf(exchange);
    const stream = new ServerStream(exchange, route, context, this.#exchanges === 1);
    if (this.#streams.size === 0) void this.#socket.peerClosed?.then(() => this.#onPeerClosed());
    this.#streams.set(streamId, stream);
    limiter.streams.add(stream);
    limiter.begin(context);
    try {
      await context.run(() => stream.run());
    } finally {
      // The handler is through, however long its client takes to read its last words.
      limiter.end(context);
      limiter.streams.delete(stream);
      await stream.end();
      this.#streams.delete(streamId);
      if (!stream.hasPeerEnded) this.#rememberEnded(streamId);
      if (stream.wasShed) this.#endAfterRefusal();
      this.#done();
    }
  }

  /** Runs a request, or an event where there is no route, now or when there is room for it. */
  #admit(exchange: Exchange, route: UnaryRoute | undefined): void {
    const context = contextOf(exchange);
    if (route !== undefined) this.#asked.add(context);
    admit(new SocketAdmission(exchange, context, route, this.#run, this.#ran));
  }

  readonly #run = ({ exchange, context, route }: SocketAdmission): Promise<void> =>
    route === undefined ? this.#runEvent(exchange, context) : answerUnary(exchange as ReadableExchange, route, context);

  readonly #ran = ({ context }: SocketAdmission): void => {
    this.#asked.delete(context);
    this.#done();
  };

  async #runEvent(exchange: Exchange, context: HandlerContext): Promise<void> {
    await deliver(exchange, eventAckMessage(exchange.request, await this.#relay(exchange.request, context)));
  }

  #refuse(exchange: Exchange, answer: ErrorAnswer): void {
    void answerError(exchange, answer).then(this.#done);
  }

  #answerUnreadable(exchange: Exchange): void {
    this.#core.limiter.errors++;
    void deliver(exchange, exchange.dialect.unsupportedType(exchange.request)).then(this.#done);
  }

  /**
   * A stream found no place, or ended for others. Where it is all that was asked on this socket, that closes: one who
   * is refused again and again must not leave a socket each time. Its peer is told, so that nothing gets lost; one that
   * cannot be told has time to read the refusal.
   */
  #endAfterRefusal(): void {
    if (this.#socket.peerClosed === undefined) this.#endOnceQuiet();
    else if (this.#exchanges === 1) this.#isLast = true;
  }

  /** The same for one who may ask something better. */
  #endOnceQuiet(): void {
    if (this.#exchanges > 1 || this.#hasLeft) return;
    this.#isRefused = true;
    this.#core.refusedSockets.heard(this);
  }

  #rememberEnded(streamId: string): void {
    this.#endedStreams.add(streamId);
    if (this.#endedStreams.size <= maxEndedStreams) return;
    const [oldest] = this.#endedStreams;
    this.#endedStreams.delete(oldest as string);
  }

  #failStreams(reason: MicroError): void {
    // Of a client that is gone without having said its end nobody wants what it sent.
    for (const stream of this.#streams.values()) stream.fail(reason, { drop: !stream.hasPeerEnded });
  }

  #onPeerClosed(): void {
    for (const stream of this.#streams.values()) stream.leave();
  }

  /** Tells the handlers of the caller that has left, and those it called in turn. */
  #tellAsked(cause: unknown): void {
    let error: MicroError | undefined;
    const gone = () => {
      error ??= new MicroError('canceled', `${this.#core.name}: the caller does not wait any longer`, { cause });
      return error;
    };
    this.#asked.abort(gone);
  }

  /** Streams do not count, as what continues them comes by the socket. */
  get #isFull(): boolean {
    return this.#inFlight - this.#streams.size >= maxInFlight && !this.#isAbandoned;
  }

  /** Resolves once there is room for one more, or nothing is waited for any more. */
  #whenFewer(): Promise<void> | undefined {
    if (!this.#isFull) return undefined;
    return new Promise((resolve) => {
      this.#onFewer = resolve;
    });
  }

  readonly #done = (): void => {
    this.#inFlight--;
    if (this.#onFewer !== undefined) {
      this.#onFewer();
      this.#onFewer = undefined;
    }
    if (this.#inFlight > 0) return;
    this.#onIdle?.();
    if (!this.#core.gate.takesRequests || this.#isLast) void this.#socket.close();
  };
}

/** A request or event of a socket on its way to a handler: one object for each, instead of two functions. */
class SocketAdmission implements Admission {
  readonly exchange: Exchange;
  readonly context: HandlerContext;
  /** Of a request; an event has none. */
  readonly route: UnaryRoute | undefined;
  readonly #run: (admission: SocketAdmission) => Promise<void>;
  readonly #ran: (admission: SocketAdmission) => void;

  constructor(
    exchange: Exchange,
    context: HandlerContext,
    route: UnaryRoute | undefined,
    run: (admission: SocketAdmission) => Promise<void>,
    ran: (admission: SocketAdmission) => void,
  ) {
    this.exchange = exchange;
    this.context = context;
    this.route = route;
    this.#run = run;
    this.#ran = ran;
  }

  run(): Promise<void> {
    return this.#run(this);
  }

  done(): void {
    this.#ran(this);
  }
}

/** The requests of one socket that run or wait, to stop them where their caller leaves. */
class AskedRequests {
  // Most sockets carry one request at a time: a set is made where there are more.
  #only: HandlerContext | undefined;
  #others: Set<HandlerContext> | undefined;

  add(context: HandlerContext): void {
    if (this.#only === undefined) {
      this.#only = context;
      return;
    }
    this.#others ??= new Set();
    this.#others.add(context);
  }

  delete(context: HandlerContext): void {
    if (this.#only === context) this.#only = undefined;
    else this.#others?.delete(context);
  }

  /** Stops all of them, for a reason that is made where somebody asks for it. */
  abort(reason: () => MicroError): void {
    this.#only?.abort(reason);
    for (const context of this.#others ?? []) context.abort(reason);
  }
}
