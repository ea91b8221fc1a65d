import {
  type AbortOptions,
  type Listener,
  MicroError,
  type NodeRecord,
  type ServiceRecord,
  type Socket,
  serviceRecord,
} from '@ts-micro/core';
import { pause, RateLimitedLogger, untilAborted } from '@ts-micro/kit';
import type { Middleware } from '../middleware.ts';
import { createCodecs } from '../rpc/codecs.ts';
import { Events } from './events/events.ts';
import type { EventHandler, SubscriptionOptions } from './events/subscription.ts';
import { endpointRecords, nodeRecord } from './lifecycle/node-record.ts';
import { Registration } from './lifecycle/registration.ts';
import { ConcurrencyLimiter } from './serve/concurrency-limiter.ts';
import { addDebugHandlers } from './serve/debug-handlers.ts';
import { type HandleOptions, type RequestHandler, Routes, type StreamHandler } from './serve/routes.ts';
import type { ServiceCore } from './serve/service-core.ts';
import { type EventRelay, SocketServer } from './serve/socket-server.ts';
import type { Service, ServiceHealth, ServiceState, StopReport } from './service.ts';
import { type CheckedServiceOptions, checkServiceOptions, type ServiceOptions } from './service-options.ts';

const startTimeoutMs = 30_000;
// Callers hear of a deregistration a moment later; what they send meanwhile is still served.
const deregisterGraceMs = 50;
// Handlers that obey their signal get this long to answer before their sockets close.
const abortGraceMs = 250;
const releaseTimeoutMs = 5000;

/** Makes a service of the plugins it is given; nothing is opened before `start`. Throws `invalid` for an option. */
export function createService(options: ServiceOptions): Service {
  return new MicroService(checkServiceOptions(options));
}

class MicroService implements Service {
  readonly name: string;
  readonly version: string;
  readonly #options: CheckedServiceOptions;
  readonly #middleware: Middleware[];
  readonly #core: ServiceCore;
  readonly #events: Events;
  readonly #relay: EventRelay;
  readonly #sockets = new Set<SocketServer>();
  readonly #stopping: AbortController = new AbortController();
  #state: ServiceState = 'new';
  #node: NodeRecord | undefined;
  #listener: Listener | undefined;
  #listenerError: string | undefined;
  #registration: Registration | undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<StopReport> | undefined;

  constructor(options: CheckedServiceOptions) {
    this.name = options.name;
    this.version = options.version;
    this.#options = options;
    this.#middleware = [...options.middleware];
    this.#core = {
      name: options.name,
      codecs: createCodecs(options.codecs),
      routes: new Routes(`service "${options.name}"`),
      middleware: this.#middleware,
      limiter: new ConcurrencyLimiter(options),
      logger: options.logger,
      limitedLogger: new RateLimitedLogger(options.logger),
    };
    this.#events = new Events(this.#core);
    this.#relay = (message, context) => this.#events.relay(message, context);
    addDebugHandlers(this.#core.routes, this.#core.limiter);
  }

  get state(): ServiceState {
    return this.#state;
  }

  get node(): NodeRecord | undefined {
    return this.#node;
  }

  get record(): ServiceRecord {
    return serviceRecord({
      name: this.name,
      version: this.version,
      endpoints: endpointRecords(this.#core.routes.all(), this.#events.all),
      nodes: this.#node === undefined ? [] : [this.#node],
    });
  }

  handle<Request, Response>(
    endpoint: string,
    handler: RequestHandler<Request, Response>,
    options: HandleOptions = {},
  ): void {
    this.#assertNew('handle');
    this.#core.routes.addUnary(endpoint, handler as RequestHandler, options);
  }

  handleStream<Send, Receive>(
    endpoint: string,
    handler: StreamHandler<Send, Receive>,
    options: HandleOptions = {},
  ): void {
    this.#assertNew('handleStream');
    this.#core.routes.addStream(endpoint, handler as StreamHandler, options);
  }

  subscribe<Event>(topic: string, handler: EventHandler<Event>, options: SubscriptionOptions = {}): void {
    this.#assertNew('subscribe');
    if (this.#options.broker === undefined)
      throw new MicroError('invalid', `service "${this.name}": subscribing to "${topic}" needs a broker`);
    if (typeof handler !== 'function')
      throw new MicroError('invalid', `service "${this.name}": the handler of topic "${topic}" is not a function`);
    this.#events.add({ topic, handler: handler as EventHandler, options });
  }

  use(middleware: Middleware): void {
    this.#assertNew('use');
    this.#middleware.push(middleware);
  }

  start(options: AbortOptions = {}): Promise<void> {
    if (this.#state !== 'new')
      return Promise.reject(new MicroError('conflict', `service "${this.name}": start was called before`));
    this.#state = 'starting';
    this.#started = this.#start(options);
    return this.#started;
  }

  stop(options: AbortOptions = {}): Promise<StopReport> {
    this.#stopped ??= this.#stop(options);
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  health(): ServiceHealth {
    const { transport, broker, registry } = this.#options;
    const reasons: string[] = [];
    if (this.#state !== 'running') reasons.push(`the service is ${this.#state}`);
    if (this.#listenerError !== undefined) reasons.push(this.#listenerError);
    const away: string[] = [];
    for (const [kind, plugin] of Object.entries({ transport, broker, registry })) {
      if (plugin?.isConnected === false) away.push(`the ${plugin.name} ${kind} is not connected`);
    }
    reasons.push(...away);
    const registered = this.#registration?.isRegistered ?? false;
    const error = this.#registration?.error;
    if (error !== undefined) reasons.push(`the last heartbeat failed: ${error.message}`);
    else if (registry !== undefined && this.#state === 'running' && !registered) reasons.push('the lease has run out');
    return {
      live: this.#state !== 'stopped' && this.#listenerError === undefined,
      ready: this.#state === 'running' && this.#listenerError === undefined && transport.isConnected !== false,
      connected: away.length === 0,
      registered,
      draining: this.#state === 'stopping',
      running: this.#core.limiter.size,
      reasons,
    };
  }

  async #start(options: AbortOptions): Promise<void> {
    const bounds = [this.#stopping.signal, AbortSignal.timeout(startTimeoutMs)];
    const signal = AbortSignal.any(options.signal === undefined ? bounds : [...bounds, options.signal]);
    try {
      await this.#open(signal);
    } catch (error) {
      this.#state = 'stopping';
      await this.#release(AbortSignal.timeout(releaseTimeoutMs));
      // Where it was stopped meanwhile, stop says when it is over.
      if (this.#stopped === undefined) this.#state = 'stopped';
      throw MicroError.from(error, 'internal', `service "${this.name}": starting failed`);
    }
    // Stop may have come too late to abort it, and waits for it.
    if (this.#state === 'starting') this.#state = 'running';
    this.#core.logger.info('service started', {
      service: this.name,
      node: this.#node?.id,
      address: this.#node?.address,
    });
  }

  async #open(signal: AbortSignal): Promise<void> {
    const {
      transport,
      broker,
      registry,
      address,
      advertise,
      id,
      metadata,
      dialect,
      registerIntervalMs,
      registerTtlMs,
      logger,
    } = this.#options;
    const listener = await transport.listen(address, { signal });
    this.#listener = listener;
    void listener.closed.then((cause) => this.#onListenerClosed(cause));
    this.#node = nodeRecord({
      id: `${this.name}-${id}`,
      address: advertise ?? listener.address,
      metadata,
      dialect,
      listener,
      transport,
      broker,
      registry,
    });
    await listener.accept((socket) => this.#serve(socket), { signal });
    if (broker !== undefined) await this.#events.open(broker, { signal });
    if (registry === undefined) return;
    this.#registration = new Registration({
      registry,
      record: this.record,
      intervalMs: registerIntervalMs,
      ttlMs: registerTtlMs,
      logger,
    });
    await this.#registration.begin({ signal });
  }

  async #serve(socket: Socket): Promise<void> {
    const server = new SocketServer(this.#core, socket, this.#relay);
    this.#sockets.add(server);
    if (this.#state === 'stopping') server.refuse();
    await server.run();
    this.#sockets.delete(server);
  }

  async #stop(options: AbortOptions): Promise<StopReport> {
    const hasStarted = this.#started !== undefined;
    this.#state = 'stopping';
    this.#stopping.abort(new MicroError('canceled', `service "${this.name}": stopped while starting`));
    await this.#started?.catch(() => {});
    const bound = new AbortController();
    const expire = () => bound.abort(new MicroError('timeout', `service "${this.name}": handlers were still running`));
    // Kept alive: a process must not end before it knows what it abandoned.
    const timer = setTimeout(expire, this.#options.stopTimeoutMs);
    const onAbort = () => bound.abort(options.signal?.reason);
    if (options.signal?.aborted) onAbort();
    else options.signal?.addEventListener('abort', onAbort, { once: true });
    const abandoned = hasStarted ? await this.#shutDown(bound.signal) : [];
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
    this.#state = 'stopped';
    this.#core.limitedLogger.end();
    if (hasStarted) this.#core.logger.info('service stopped', { service: this.name, abandoned });
    return { abandoned };
  }

  async #shutDown(signal: AbortSignal): Promise<readonly string[]> {
    const { limiter } = this.#core;
    if (this.#registration !== undefined) {
      await this.#registration.end({ signal });
      await pause(deregisterGraceMs, { signal });
    }
    // The listener stays until the end, so that who still calls is refused in words, and no bound of its own cuts an answer off.
    for (const socket of this.#sockets) socket.drain();
    const giveUp = new AbortController();
    const eventsClosed = this.#events.close({ signal: giveUp.signal });
    await untilAborted(Promise.all([eventsClosed, limiter.whenIdle()]), signal);
    const abandoned = limiter.names();
    if (abandoned.length > 0) await this.#abandon();
    giveUp.abort();
    await eventsClosed;
    await this.#release(AbortSignal.any([signal, AbortSignal.timeout(releaseTimeoutMs)]));
    return abandoned;
  }

  async #abandon(): Promise<void> {
    const reason = new MicroError('canceled', `service "${this.name}": the service stops without waiting any longer`);
    this.#core.limiter.abort(reason);
    for (const socket of this.#sockets) socket.abort(reason);
    await Promise.race([this.#core.limiter.whenIdle(), pause(abortGraceMs)]);
    for (const socket of this.#sockets) socket.abandon();
  }

  async #release(signal: AbortSignal): Promise<void> {
    await this.#registration?.end({ signal });
    await Promise.all([this.#listener?.close({ signal }), this.#events.close({ signal })]);
  }

  #onListenerClosed(cause: MicroError | undefined): void {
    if (this.#state === 'stopping' || this.#state === 'stopped') return;
    this.#listenerError = `the listener is closed${cause ? `: ${cause.message}` : ''}`;
    this.#core.logger.error('listener closed', { service: this.name, error: cause });
    // Who cannot be reached must not be found.
    void this.#registration?.end({ signal: AbortSignal.timeout(releaseTimeoutMs) });
  }

  #assertNew(method: string): void {
    if (this.#state !== 'new')
      throw new MicroError('conflict', `service "${this.name}": ${method} was called after start`);
  }
}
