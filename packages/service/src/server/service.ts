import type { AbortOptions, NodeRecord, ServiceRecord } from '@ts-micro/core';
import type { Middleware } from '../middleware.ts';
import type { CallContext } from '../rpc/call-context.ts';
import type { EventHandler, SubscriptionOptions } from './events/subscription.ts';
import type { InvokeOptions, InvokeRequest, InvokeResponse } from './invoke/invoke.ts';
import type { ServiceGateway } from './lifecycle/gateways.ts';
import type { HandleOptions, RequestHandler, StreamHandler } from './serve/routes.ts';

export type ServiceState = 'new' | 'starting' | 'running' | 'stopping' | 'stopped';

/** The work that `stop` did not wait for any longer: the endpoint or topic of each handler still running. */
export interface StopReport {
  readonly abandoned: readonly string[];
}

export interface StopOptions extends AbortOptions {
  /**
   * The context of the handler that asks for the stop of its own service, which then does not wait for it. Needed only
   * on Node before 24, and there only after the handler's first `await`.
   */
  readonly context?: CallContext | undefined;
}

/** How a service is, for a probe. */
export interface ServiceHealth {
  /**
   * False once it has stopped, or its transport was closed under it; an outage leaves it true, as a restart would not
   * help.
   */
  readonly live: boolean;
  /** True while it takes requests and events and can be reached. */
  readonly ready: boolean;
  /**
   * False while a plugin knows that its backend is out of reach; and before the start unless every plugin knows that it
   * is not.
   */
  readonly connected: boolean;
  /** True while the registry lists it, as far as it can know; false without a registry. */
  readonly registered: boolean;
  /** True while it stops. */
  readonly draining: boolean;
  /** Handlers running now. */
  readonly running: number;
  /** Requests and streams refused until now because there was no room for them, or none in time. */
  readonly refused: number;
  /** Says in plain words what is wrong; empty where nothing is. */
  readonly reasons: readonly string[];
}

/**
 * One instance of a service: its handlers, its place in the registry, its life. (Go Micro: `micro.Service` and
 * `server.Server`.)
 *
 * It starts once and stops once; a start that failed can be tried again. Handlers, subscribers and middleware are added
 * before it starts, as what it advertises is made then. The plugins it was given stay open.
 *
 * A listener or a subscription that is lost while it runs is made again, with growing pauses; until then the service is
 * not ready and not in the registry.
 */
export interface Service extends AsyncDisposable {
  readonly name: string;
  readonly version: string;
  readonly state: ServiceState;
  /** Resolves once it has stopped, whoever stopped it. */
  readonly stopped: Promise<StopReport>;
  /** This instance as the registry knows it; `undefined` before `start`. */
  readonly node: NodeRecord | undefined;
  /** The whole record as it is registered; without nodes before `start`. */
  readonly record: ServiceRecord;
  /**
   * Answers requests to `endpoint`, which has the form `Type.Method`. Throws `invalid`, or `conflict` where it has a
   * handler or the service has started.
   */
  handle<Request, Response>(
    endpoint: string,
    handler: RequestHandler<Request, Response>,
    options?: HandleOptions,
  ): void;
  /** Handles the streams that clients open to `endpoint`. Throws as `handle` does. */
  handleStream<Send, Receive>(endpoint: string, handler: StreamHandler<Send, Receive>, options?: HandleOptions): void;
  /**
   * Handles the events of `topic`, which may have the broker's wildcards. Throws `invalid` where there is no broker,
   * `conflict` where the service has started.
   */
  subscribe<Event>(topic: string, handler: EventHandler<Event>, options?: SubscriptionOptions): void;
  /**
   * Runs `middleware` around every handler, inside what was added before. Throws `conflict` where the service has
   * started.
   */
  use(middleware: Middleware): void;
  /**
   * Adds a further way by which requests come in: it opens and closes with the service. Throws `invalid`, or `conflict`
   * where it is there already or the service has started.
   */
  attach(gateway: ServiceGateway): void;
  /**
   * Runs the unary handler of `endpoint` for a request that came by another way than the transport, and resolves with
   * the bytes of its answer. Codecs, middleware, limits, deadline, counts and draining are those of a call over the
   * transport, and so are the errors: see `Client.call`. The handler runs in the async context of the caller.
   *
   * Errors: `invalid` for an argument; `unavailable`, safe to retry, where the service is not started, stops, or is
   * overloaded; `not_found`; `unsupported` for a stream or a content type without a codec, a legacy wrapper among them;
   * `timeout` after `timeoutMs`; `canceled` as the signal aborts, or where the service stops without waiting any
   * longer; `remote` with what the handler answered.
   */
  invoke(endpoint: string, request: InvokeRequest, options?: InvokeOptions): Promise<InvokeResponse>;
  /**
   * Listens, subscribes, opens what is attached, and only then registers; resolves once all of it is done, and
   * releases what it opened where it fails. Errors: `conflict` where it has started or was stopped; `timeout` where
   * that takes more than 30 s; and what the plugins say. After these two it can be started again.
   */
  start(options?: AbortOptions): Promise<void>;
  /**
   * Stops step by step: takes no new streams, and tells those open by their `context.signal`, after which they may
   * still send and end; leaves the registry and its gateways; goes on serving requests for `drainGraceMs`, while the
   * caches of callers follow; refuses further ones; waits for running handlers until `stopTimeoutMs` is over or a
   * `signal` aborts; tells those left by their `context.signal`; and releases.
   *
   * Never rejects. Every call joins the same stop, and its `signal` shortens it. A handler that awaits the stop of its
   * own service is not waited for: its promise resolves once all other work is done, and its answer still goes out.
   */
  stop(options?: StopOptions): Promise<StopReport>;
  health(): ServiceHealth;
}
