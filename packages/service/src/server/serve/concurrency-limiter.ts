import type { MicroError } from '@ts-micro/core';
import type { HandlerContext } from './handler-context.ts';

export interface ConcurrencyLimits {
  readonly maxConcurrency: number;
  readonly maxBacklog: number;
}

/** A request that waits for room. */
export interface Waiting {
  run(): void;
  /** It will not run. */
  refuse(): void;
}

/** The handlers that run in a service, those that wait for room, and the counts of both. */
export class ConcurrencyLimiter {
  readonly #limits: ConcurrencyLimits;
  readonly #running = new Set<HandlerContext>();
  readonly #backlog: Waiting[] = [];
  readonly #idle: (() => void)[] = [];
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

  /** The endpoint or topic of everything that runs. */
  names(): readonly string[] {
    return Array.from(this.#running, (context) => context.endpoint);
  }

  /** True where a handler may run now; {@link releaseUnary} gives its place back. */
  takeUnary(): boolean {
    if (this.#unary >= this.#limits.maxConcurrency) return false;
    this.#unary++;
    return true;
  }

  /** Runs it once there is a place; false where too many wait already. */
  wait(request: Waiting): boolean {
    if (this.#backlog.length >= this.#limits.maxBacklog) return false;
    this.#backlog.push(request);
    return true;
  }

  releaseUnary(): void {
    const next = this.#backlog.shift();
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
    if (this.#running.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves once nothing runs. */
  whenIdle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  /** Refuses everything that waits, and tells everything that runs to stop. */
  abort(reason: MicroError): void {
    for (const request of this.#backlog.splice(0)) request.refuse();
    for (const context of this.#running) context.abort(reason);
  }
}
