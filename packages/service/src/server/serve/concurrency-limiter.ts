import type { MicroError } from '@ts-micro/core';
import { Fifo } from '@ts-micro/kit';
import type { HandlerContext } from './handler-context.ts';

export interface ConcurrencyLimits {
  readonly maxConcurrency: number;
  readonly maxBacklog: number;
}

/** Why a request that waited for room is refused. */
export type Refusal = 'overloaded' | 'too late';

/** A request that waits for room. */
export interface WaitingRequest {
  readonly context: HandlerContext;
  run(): void;
  /** It will not run. */
  refuse(why: Refusal): void;
}

/**
 * The handlers that run in a service, those that wait for room, and the counts of both.
 *
 * Requests wait in the order of arrival. Once one of them has waited in vain, its caller's time being over, the node is
 * offered more than it can do, and whoever waits longest is the least worth serving: the newest go first until nobody
 * waits any more, and where too many wait, the oldest is refused. So most answers come in time however long the
 * overload lasts.
 */
export class ConcurrencyLimiter {
  readonly #limits: ConcurrencyLimits;
  readonly #running = new Set<HandlerContext>();
  readonly #waiting = new Fifo<WaitingRequest>();
  readonly #excused = new Set<HandlerContext>();
  /** The requests that wait until fewer run. */
  readonly #checks = new Set<() => void>();
  #isOverloaded = false;
  #unary = 0;
  #streams = 0;
  /** Requests and events taken, streams opened. */
  requests = 0;
  /** Those that ended with an error. */
  errors = 0;

  constructor(limits: ConcurrencyLimits) {
    this.#limits = limits;
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
    return Array.from(this.#running, (context) => context.endpoint);
  }

  /** The same without those that were excused. */
  othersNames(): readonly string[] {
    return Array.from(this.#running)
      .filter((context) => !this.#excused.has(context))
      .map((context) => context.endpoint);
  }

  /** True where a handler may run now; {@link releaseUnary} gives its place back. */
  takeUnary(): boolean {
    if (this.#unary >= this.#limits.maxConcurrency) return false;
    this.#unary++;
    return true;
  }

  /** Runs it once there is a place; false where too many wait already. */
  wait(request: WaitingRequest): boolean {
    if (this.#isOverloaded) this.#refuseTheLate();
    if (this.#waiting.size >= this.#limits.maxBacklog) {
      if (!this.#isOverloaded) return false;
      this.#waiting.take()?.refuse('overloaded');
    }
    this.#waiting.push(request);
    return true;
  }

  releaseUnary(): void {
    const next = this.#next();
    if (next === undefined) this.#unary--;
    else next.run();
  }

  /** Streams live long, so they have a limit of their own and do not wait. */
  takeStream(): boolean {
    if (this.#streams >= this.#limits.maxConcurrency) return false;
    this.#streams++;
    return true;
  }

  releaseStream(): void {
    this.#streams--;
  }

  begin(context: HandlerContext): void {
    this.requests++;
    this.#running.add(context);
  }

  end(context: HandlerContext): void {
    context.finish();
    this.#running.delete(context);
    this.#excused.delete(context);
    if (this.#checks.size > 0) this.#checkIdle();
  }

  /** Resolves once nothing runs. */
  whenIdle(): Promise<void> {
    return this.#when(() => this.#running.size === 0);
  }

  /** Its handler waits for the service's stop, which then does not wait for it: see {@link whenOthersIdle}. */
  excuse(context: HandlerContext): void {
    this.#excused.add(context);
    this.#checkIdle();
  }

  /** Resolves once nothing runs but what was excused. */
  whenOthersIdle(): Promise<void> {
    return this.#when(() => Array.from(this.#running).every((context) => this.#excused.has(context)));
  }

  /** Tells everything that runs to stop, or only the streams. */
  abort(reason: MicroError, kind?: 'stream'): void {
    for (const context of this.#running) if (kind === undefined || context.kind === kind) context.abort(reason);
  }

  /** Refuses everything that waits. */
  refuseWaiting(): void {
    for (let next = this.#waiting.take(); next !== undefined; next = this.#waiting.take()) next.refuse('overloaded');
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

  #next(): WaitingRequest | undefined {
    for (;;) {
      const request = this.#isOverloaded ? this.#waiting.takeNewest() : this.#waiting.take();
      if (request === undefined) {
        this.#isOverloaded = false;
        return undefined;
      }
      if (!isTooLate(request)) return request;
      // A caller that left for a reason of its own says nothing about the load.
      if (request.context.reason === undefined) this.#isOverloaded = true;
      request.refuse('too late');
    }
  }

  #refuseTheLate(): void {
    for (;;) {
      const oldest = this.#waiting.peek();
      if (oldest === undefined || !isTooLate(oldest)) return;
      this.#waiting.take();
      oldest.refuse('too late');
    }
  }
}

/** True where nobody waits for the answer any more. */
function isTooLate({ context }: WaitingRequest): boolean {
  return context.reason !== undefined || (context.remainingMs !== undefined && context.remainingMs <= 0);
}
