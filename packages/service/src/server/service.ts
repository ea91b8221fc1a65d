import type { AbortOptions, NodeRecord, ServiceRecord } from '@ts-micro/core';
import type { Middleware } from '../middleware.ts';
import type { EventHandler, SubscriptionOptions } from './events/subscription.ts';
import type { HandleOptions, RequestHandler, StreamHandler } from './serve/routes.ts';

export type ServiceState = 'new' | 'starting' | 'running' | 'stopping' | 'stopped';

/** What `stop` did not wait for any longer: the endpoint or topic of each handler still running. */
export interface StopReport {
  readonly abandoned: readonly string[];
}

/** How a service is, for a probe. */
export interface ServiceHealth {
  /** False once it has stopped, or can never serve again; an outage leaves it true, as a restart would not help. */
  readonly live: boolean;
  /** True while it takes requests and can be reached. */
  readonly ready: boolean;
  /** False while a plugin knows that its backend is out of reach. */
  readonly connected: boolean;
  /** True while the registry lists it, as far as it can know; false without a registry. */
  readonly registered: boolean;
  /** True while it stops. */
  readonly draining: boolean;
  /** Handlers running now. */
  readonly running: number;
  /** What is wrong, in plain words; empty where nothing is. */
  readonly reasons: readonly string[];
}

/**
 * One instance of a service: its handlers, its place in the registry, its life. (Go Micro: `micro.Service` and `server.Server`.)
 *
 * It starts once and stops once. Handlers, subscribers and middleware are added before it starts, as what it advertises is made then.
 * The plugins it was given stay open.
 */
export interface Service extends AsyncDisposable {
  readonly name: string;
  readonly version: string;
  readonly state: ServiceState;
  /** This instance as the registry knows it; `undefined` before `start`. */
  readonly node: NodeRecord | undefined;
  /** The whole record as it is registered; without nodes before `start`. */
  readonly record: ServiceRecord;
  /** Answers requests to `endpoint`, which has the form `Type.Method`. Throws `invalid`, or `conflict` where it has a handler or the service has started. */
  handle<Request, Response>(
    endpoint: string,
    handler: RequestHandler<Request, Response>,
    options?: HandleOptions,
  ): void;
  /** Handles the streams that clients open to `endpoint`. Throws as `handle` does. */
  handleStream<Send, Receive>(endpoint: string, handler: StreamHandler<Send, Receive>, options?: HandleOptions): void;
  /** Handles the events of `topic`, which may have the broker's wildcards. Throws `invalid` where there is no broker, `conflict` where the service has started. */
  subscribe<Event>(topic: string, handler: EventHandler<Event>, options?: SubscriptionOptions): void;
  /** Runs `middleware` around every handler, inside what was added before. Throws `conflict` where the service has started. */
  use(middleware: Middleware): void;
  /**
   * Listens, subscribes, and only then registers; resolves once all of it is done, and releases what it opened where it fails.
   * Errors: `conflict` where it was started before, and what the plugins say.
   */
  start(options?: AbortOptions): Promise<void>;
  /**
   * Deregisters, stops intake, waits for running handlers until `stopTimeoutMs` or `signal`, tells those left to stop by their
   * `context.signal`, and releases. Never rejects; every call returns the same promise.
   */
  stop(options?: AbortOptions): Promise<StopReport>;
  health(): ServiceHealth;
}
