import type { MicroError } from '@ts-micro/core';
import { isTurnOver, nextTurnOfLoop, Roster } from '@ts-micro/kit';
import { Backlog, type WaitingRequest } from './backlog.ts';
import type { HandlerContext } from './handler-context.ts';
import { OpenStreams } from './open-streams.ts';

export interface ConcurrencyLimits {
  readonly maxConcurrency: number;
  readonly maxBacklog: number;
  /** Bytes of the bodies of what runs. @default no bound */
  readonly maxConcurrentBytes?: number;
  /** Bytes of what waits. @default no bound */
  readonly maxBacklogBytes?: number;
}

/** Tells when the event loop is to turn before the next handler begins. */
export interface LoopTurn {
  /** `nowMs` is `performance.now()`, where it is known. */
  isOver(nowMs?: number): boolean;
  /** Resolves in the next turn. */
  next(): Promise<void>;
}

const loopTurn: LoopTurn = { isOver: isTurnOver, next: nextTurnOfLoop };

/**
 * The handlers that run in a service, those that wait for room, and the counts of both.
 *
 * Quick handlers wait for the event loop to turn, so that whatever else has come is heard before the next one runs, for
 * example that a caller has left.
 */
export class ConcurrencyLimiter {
  readonly #maxConcurrency: number;
  readonly #maxBytes: number;
  /** A body of this size has its place wherever there is one, so that large ones keep no small ones out. */
  readonly #smallBytes: number;
  readonly #running = new Roster<HandlerContext>();
  readonly #turn: LoopTurn;
  readonly #backlog: Backlog;
  /** Streams live long, so they have a limit of their own and do not wait. */
  readonly streams: OpenStreams;
  readonly #excused = new Set<HandlerContext>();
  /** The requests that wait until fewer run. */
  readonly #checks = new Set<() => void>();
  readonly #fits = (bodyBytes: number): boolean => this.#hasRoom(bodyBytes);
  #isTurnAwaited = false;
  #unary = 0;
  #unaryBytes = 0;
  /** Requests and events taken, streams opened. */
  requests = 0;
  /** Those that ended with an error. */
  errors = 0;
  /** Requests and streams for which there was no room, or none in time. */
  refused = 0;

  constructor(limits: ConcurrencyLimits, turn: LoopTurn = loopTurn) {
    const { maxConcurrentBytes = Number.POSITIVE_INFINITY, maxBacklogBytes = Number.POSITIVE_INFINITY } = limits;
    this.#maxConcurrency = limits.maxConcurrency;
    this.#maxBytes = maxConcurrentBytes;
    this.#smallBytes = maxConcurrentBytes / limits.maxConcurrency;
    this.#turn = turn;
    this.#backlog = new Backlog(limits.maxBacklog, maxBacklogBytes);
    this.streams = new OpenStreams(limits.maxConcurrency);
  }

  /** How many requests wait. */
  get waiting(): number {
    return this.#backlog.size;
  }

  get size(): number {
    return this.#running.size;
  }

  /** True while the handler of this context runs. */
  runs(context: HandlerContext): boolean {
    return this.#running.has(context);
  }

  /** The endpoint or topic of everything that runs. */
  names(): readonly string[] {
    return this.#running.all.map((context) => context.endpoint);
  }

  /** The same without those that were excused. */
  othersNames(): readonly string[] {
    return this.#running.all.filter((context) => !this.#excused.has(context)).map((context) => context.endpoint);
  }

  /** Bytes of the bodies of requests that run. */
  get bodyBytes(): number {
    return this.#unaryBytes;
  }

  /** Bytes of the requests that wait. */
  get waitingBytes(): number {
    return this.#backlog.bytes;
  }

  /** True where a handler may run now; {@link releaseUnary} gives its place, and that of the body, back. */
  takeUnary(bodyBytes: number, nowMs?: number): boolean {
    if (!this.#hasRoom(bodyBytes) || this.#backlog.size > 0 || this.#turn.isOver(nowMs)) return false;
    this.#begin(bodyBytes);
    return true;
  }

  /** Runs it once there is a place and it is its turn; false where too many wait already. */
  wait(request: WaitingRequest): boolean {
    const hasRoom = this.#hasRoom(request.bodyBytes);
    if (!this.#backlog.push(request, hasRoom)) return false;
    if (hasRoom) this.#runInNextTurn();
    return true;
  }

  releaseUnary(bodyBytes: number): void {
    this.#unary--;
    this.#unaryBytes -= bodyBytes;
    this.#runWaiting();
  }

  begin(context: HandlerContext): void {
    this.requests++;
    this.#running.add(context);
  }

  end(context: HandlerContext): void {
    context.finish();
    this.#running.delete(context);
    if (this.#excused.size > 0) this.#excused.delete(context);
    if (this.#checks.size > 0) this.#checkIdle();
  }

  /** Resolves once nothing runs or waits. */
  whenIdle(): Promise<void> {
    return this.#when(() => this.#running.size === 0 && this.#backlog.size === 0);
  }

  /** Its handler waits for the service's stop, which then does not wait for it: see {@link whenOthersIdle}. */
  excuse(context: HandlerContext): void {
    this.#excused.add(context);
    this.#checkIdle();
  }

  /** Resolves once nothing runs or waits but what was excused. */
  whenOthersIdle(): Promise<void> {
    const isIdle = () => this.#running.all.every((context) => this.#excused.has(context));
    return this.#when(() => this.#backlog.size === 0 && isIdle());
  }

  /** Tells everything that runs to stop, or only the streams. */
  abort(reason: MicroError, kind?: 'stream'): void {
    for (const context of this.#running.all) if (kind === undefined || context.kind === kind) context.abort(reason);
  }

  /** Refuses everything that waits. */
  refuseWaiting(): void {
    this.#backlog.refuseAll();
    this.#checkIdle();
  }

  get #hasPlace(): boolean {
    return this.#unary < this.#maxConcurrency;
  }

  #hasRoom(bodyBytes: number): boolean {
    return this.#hasPlace && (this.#unaryBytes < this.#maxBytes || bodyBytes <= this.#smallBytes);
  }

  #begin(bodyBytes: number): void {
    this.#unary++;
    this.#unaryBytes += bodyBytes;
  }

  #runWaiting(): void {
    while (this.#hasPlace) {
      if (this.#backlog.size > 0 && this.#turn.isOver()) {
        this.#runInNextTurn();
        return;
      }
      const next = this.#backlog.take(this.#fits);
      if (next === undefined) break;
      this.#begin(next.bodyBytes);
      next.run();
    }
    // Whatever waited may have been refused.
    if (this.#checks.size > 0) this.#checkIdle();
  }

  #runInNextTurn(): void {
    if (this.#isTurnAwaited) return;
    this.#isTurnAwaited = true;
    void this.#turn.next().then(() => {
      this.#isTurnAwaited = false;
      this.#runWaiting();
    });
  }

  #when(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition()) return;
        this.#checks.delete(check);
        resolve();
      };
      this.#checks.add(check);
      check();
    });
  }

  #checkIdle(): void {
    for (const check of this.#checks) check();
  }
}
