import type { Headers, MicroError } from '@ts-micro/core';
import { longestTimerMs, OwnContext, type RosterMember } from '@ts-micro/kit';
import type { CallContext } from '../../rpc/call-context.ts';
import { metadataOf } from '../../rpc/metadata.ts';
import { timeoutMsOf } from '../../rpc/timeout.ts';
import { runAsHandler } from './current-handler.ts';

/** The context of a request, for its handler. */
export interface RequestContext extends CallContext {
  /** The name of the service that handles it. */
  readonly service: string;
  /** `Greeter.Hello`. */
  readonly endpoint: string;
  /** Everything that came with the request, of the transport level too. */
  readonly headers: Headers;
  readonly contentType: string;
  /** The address it came to. */
  readonly local: string;
  /** The address the answer goes to. */
  readonly remote: string;
}

/** The context of an event, for its subscriber. */
export interface EventContext extends CallContext {
  /** The name of the service that handles it. */
  readonly service: string;
  /** The topic it was published on; under a wildcard subscription, the actual one. */
  readonly topic: string;
  /** Everything that came with the event, of the transport level too. */
  readonly headers: Headers;
  readonly contentType: string;
}

export interface HandlerContextInit {
  readonly kind: 'unary' | 'stream' | 'event';
  readonly service: string;
  /** The endpoint or the topic. */
  readonly name: string;
  readonly headers: Headers;
  readonly contentType: string;
  /** The time its sender waits, in nanoseconds as it wrote it. */
  readonly timeout?: string | undefined;
  readonly local: string;
  readonly remote: string;
}

/** The context of one running handler. What few handlers ask for is made when they do. */
export class HandlerContext implements RequestContext, EventContext, RosterMember {
  readonly kind: HandlerContextInit['kind'];
  readonly service: string;
  readonly endpoint: string;
  readonly headers: Headers;
  readonly contentType: string;
  readonly local: string;
  readonly remote: string;
  /** @internal */ place = -1;
  // A broker gives each of its handlers one.
  readonly #own: OwnContext | undefined;
  /** @internal By `performance.now()`, as the wall clock may be set meanwhile; 0 for an event without a limit. */
  readonly arrivedAt: number;
  readonly #timeout: string | undefined;
  /** `null` until it is asked for. */
  #timeoutMs: number | undefined | null = null;
  #metadata: Headers | undefined;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reason: MicroError | DOMException | undefined;
  #makeReason: (() => MicroError) | undefined;
  #spentAtAbort: number | undefined;
  #isOver = false;

  constructor(init: HandlerContextInit) {
    this.kind = init.kind;
    this.arrivedAt = init.kind === 'event' && init.timeout === undefined ? 0 : performance.now();
    this.#own = init.kind === 'event' ? undefined : new OwnContext();
    this.service = init.service;
    this.endpoint = init.name;
    this.headers = init.headers;
    this.contentType = init.contentType;
    this.local = init.local;
    this.remote = init.remote;
    this.#timeout = init.timeout;
  }

  get topic(): string {
    return this.endpoint;
  }

  /** How long the caller still waits, whatever the wall clock says; `undefined` where it named no limit. */
  get remainingMs(): number | undefined {
    if (this.#timeoutMs === null) this.#timeoutMs = timeoutMsOf(this.#timeout);
    return this.#timeoutMs === undefined ? undefined : this.arrivedAt + this.#timeoutMs - performance.now();
  }

  /** The share of its caller's time that is over, up to its abort where it was aborted; 0 where there is no limit. */
  get spent(): number {
    if (this.#spentAtAbort !== undefined) return this.#spentAtAbort;
    const { remainingMs } = this;
    if (remainingMs === undefined) return 0;
    return remainingMs <= 0 ? 1 : 1 - remainingMs / (this.#timeoutMs as number);
  }

  get deadline(): number | undefined {
    const { remainingMs } = this;
    return remainingMs === undefined ? undefined : Date.now() + remainingMs;
  }

  get metadata(): Headers {
    this.#metadata ??= metadataOf(this.headers);
    return this.#metadata;
  }

  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal;
    const controller = new AbortController();
    this.#controller = controller;
    if (this.isAborted) controller.abort(this.reason);
    else if (!this.#isOver) this.#armDeadline(this.remainingMs);
    return controller.signal;
  }

  /** True once it was told to stop. */
  get isAborted(): boolean {
    return this.#reason !== undefined || this.#makeReason !== undefined;
  }

  /** Why it was told to stop; `undefined` where it was not. */
  get reason(): MicroError | DOMException | undefined {
    this.#reason ??= this.#makeReason?.();
    return this.#reason;
  }

  /** Calls the handler in an async context of its own: that of the socket it came in by, whoever gave it its turn. */
  run<T>(handler: () => T): T {
    return this.#own === undefined
      ? runAsHandler(this, handler)
      : this.#own.runInAsyncScope(runAsHandler<T>, undefined, this, handler);
  }

  /** Tells the handler to stop; the first reason counts. A function is called where somebody asks for the reason. */
  abort(reason: MicroError | DOMException | (() => MicroError)): void {
    if (this.#isOver || this.isAborted) return;
    this.#spentAtAbort = this.spent;
    if (typeof reason === 'function') this.#makeReason = reason;
    else this.#reason = reason;
    clearTimeout(this.#timer);
    this.#controller?.abort(this.reason);
  }

  /** The handler has settled: nothing aborts any more. */
  finish(): void {
    this.#isOver = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }

  #armDeadline(remainingMs: number | undefined): void {
    if (remainingMs === undefined) return;
    const expire = () => this.abort(new DOMException(`${this.endpoint}: the deadline of the caller`, 'TimeoutError'));
    if (remainingMs <= 0) expire();
    else this.#timer = setTimeout(expire, Math.min(remainingMs, longestTimerMs)).unref();
  }
}
