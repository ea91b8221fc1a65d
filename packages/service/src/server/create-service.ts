import { type AbortOptions, MicroError, type NodeRecord, type ServiceRecord } from '@ts-micro/core';
import { ByteBudget, closeOptions, nativeSignal, OptionChecks, RateLimitedLogger, throwIfAborted } from '@ts-micro/kit';
import type { Middleware } from '../middleware.ts';
import { createCodecs } from '../rpc/codec/codecs.ts';
import { checkAdvertised, subscriptionOptionNames } from './check-advertised.ts';
import { Events } from './events/events.ts';
import type { EventHandler, SubscriptionOptions } from './events/subscription.ts';
import { Invocations } from './invoke/invocations.ts';
import type { InvokeOptions, InvokeRequest, InvokeResponse } from './invoke/invoke.ts';
import { Draining } from './lifecycle/draining.ts';
import type { ServiceGateway } from './lifecycle/gateways.ts';
import { healthOf } from './lifecycle/health.ts';
import { Intake } from './lifecycle/intake.ts';
import { RefusedSockets } from './lifecycle/refused-sockets.ts';
import { ConcurrencyLimiter } from './serve/concurrency-limiter.ts';
import { currentHandler } from './serve/current-handler.ts';
import { addDebugHandlers } from './serve/debug-handlers.ts';
import { Gate } from './serve/gate.ts';
import { HandlerContext } from './serve/handler-context.ts';
import { type HandleOptions, type RequestHandler, Routes, type StreamHandler } from './serve/routes.ts';
import type { ServiceCore } from './serve/service-core.ts';
import type { Service, ServiceHealth, ServiceState, StopOptions, StopReport } from './service.ts';
import { type CheckedServiceOptions, checkServiceOptions, type ServiceOptions } from './service-options.ts';

const checks = new OptionChecks('service');
const startTimeoutMs = 30_000;
const releaseTimeoutMs = 5000;

/** Makes a service of the plugins it is given; nothing is opened before `start`. Throws `invalid` for an option. */
export function createService(options: ServiceOptions): Service {
  return new MicroService(checkServiceOptions(options));
}

class MicroService implements Service {
  readonly name: string;
  readonly version: string;
  readonly stopped: Promise<StopReport>;
  readonly #options: CheckedServiceOptions;
  readonly #middleware: Middleware[];
  readonly #core: ServiceCore;
  readonly #events: Events;
  readonly #intake: Intake;
  readonly #invocations: Invocations;
  /** Ends a start. */
  readonly #stopping: AbortController = new AbortController();
  /** Ends all waiting of a stop. */
  readonly #hurry: AbortController = new AbortController();
  /** The stop is over, and nothing may be left of it. */
  readonly #over: AbortController = new AbortController();
  #state: ServiceState = 'new';
  #startError: MicroError | undefined;
  #started: Promise<void> | undefined;
  #draining: Promise<Draining | undefined> | undefined;
  #stopped: Promise<StopReport> | undefined;
  #onStopped: (report: StopReport) => void = () => {};

  constructor(options: CheckedServiceOptions) {
    this.name = options.name;
    this.version = options.version;
    this.#options = options;
    this.#middleware = [...options.middleware];
    this.#core = {
      name: options.name,
      transport: options.transport.name,
      broker: options.broker?.name ?? '',
      codecs: createCodecs(options.codecs),
      routes: new Routes(`service "${options.name}"`),
      middleware: this.#middleware,
      limiter: new ConcurrencyLimiter(options),
      unread: new ByteBudget(options.maxUnreadBytes, 'messages that streams have not received'),
      gate: new Gate(),
      refusedSockets: new RefusedSockets(),
      logger: options.logger,
      limitedLogger: new RateLimitedLogger(options.logger),
    };
    this.#events = new Events(this.#core);
    this.#intake = new Intake(options, this.#core, this.#events);
    this.#invocations = new Invocations(this.#core);
    this.stopped = new Promise((resolve) => {
      this.#onStopped = resolve;
    });
    addDebugHandlers(this.#core.routes, this.#core.limiter);
  }

  get state(): ServiceState {
    return this.#state;
  }

  get node(): NodeRecord | undefined {
    return this.#intake.node;
  }

  get record(): ServiceRecord {
    return this.#intake.record;
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
    if (typeof topic !== 'string' || topic === '')
      throw new MicroError('invalid', `service "${this.name}": a topic is a text, and not empty`);
    if (this.#options.broker === undefined)
      throw new MicroError('invalid', `service "${this.name}": subscribing to "${topic}" needs a broker`);
    const what = `service "${this.name}": topic "${topic}"`;
    new OptionChecks(what).function('handler', handler);
    checkAdvertised(what, options, subscriptionOptionNames);
    this.#events.add({ topic, handler: handler as EventHandler, options });
  }

  use(middleware: Middleware): void {
    this.#assertNew('use');
    checks.functions('middleware', [middleware]);
    this.#middleware.push(middleware);
  }

  attach(gateway: ServiceGateway): void {
    this.#assertNew('attach');
    this.#intake.gateways.add(gateway);
  }

  async invoke(endpoint: string, request: InvokeRequest, options: InvokeOptions = {}): Promise<InvokeResponse> {
    if (!this.#intake.isServing) {
      const message = `service "${this.name}": it is ${this.#state} and takes no requests`;
      throw new MicroError('unavailable', message, { retrySafe: true });
    }
    return this.#invocations.invoke(endpoint, request, options);
  }

  async start(options: AbortOptions = {}): Promise<void> {
    if (this.#state !== 'new') throw new MicroError('conflict', `service "${this.name}": ${whyNoStart[this.#state]}`);
    checks.bag(options);
    throwIfAborted(options.signal, `service "${this.name}"`);
    this.#state = 'starting';
    this.#started = this.#start(options);
    await this.#started;
  }

  stop(options?: StopOptions): Promise<StopReport> {
    this.#hurryAt(closeOptions(options).signal);
    this.#stopped ??= this.#stop();
    const context = options?.context ?? currentHandler();
    if (!(context instanceof HandlerContext) || !this.#core.limiter.runs(context)) return this.#stopped;
    this.#core.limiter.excuse(context);
    return this.#stopForHandler();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  health(): ServiceHealth {
    const { transport, broker, registry } = this.#options;
    return healthOf({
      state: this.#state,
      plugins: { transport, broker, registry },
      problems: this.#intake.problems,
      refusedAnswer: this.#intake.refusedAnswer,
      isLostForGood: this.#intake.isLostForGood,
      startError: this.#startError,
      registration: this.#intake.registration,
      running: this.#core.limiter.size,
      refused: this.#core.limiter.refused,
    });
  }

  async #start(options: AbortOptions): Promise<void> {
    const bounds = [this.#stopping.signal, AbortSignal.timeout(startTimeoutMs)];
    const signal = AbortSignal.any(options.signal === undefined ? bounds : [...bounds, nativeSignal(options.signal)]);
    this.#startError = undefined;
    try {
      await this.#intake.open(signal);
    } catch (error) {
      await this.#intake.release(AbortSignal.timeout(releaseTimeoutMs));
      this.#startError = MicroError.from(error, 'internal', `service "${this.name}": starting failed`);
      // Where it was stopped meanwhile, stop says when it is over; else it can be started again.
      if (this.#stopped === undefined) this.#state = 'new';
      throw this.#startError;
    }
    // Stop may have come too late to abort it, and waits for it.
    if (this.#state === 'starting') this.#state = 'running';
    this.#core.logger.info('service started', {
      service: this.name,
      node: this.node?.id,
      address: this.node?.address,
    });
  }

  async #stop(): Promise<StopReport> {
    const { logger, limitedLogger } = this.#core;
    const wasStarted = this.#started !== undefined;
    this.#state = 'stopping';
    this.#stopping.abort(new MicroError('canceled', `service "${this.name}": stopped while starting`));
    this.#draining = this.#prepareDraining();
    const abandoned = await (await this.#draining)?.run();
    if (abandoned !== undefined) {
      await this.#intake.release(AbortSignal.any([this.#hurry.signal, AbortSignal.timeout(releaseTimeoutMs)]));
    }
    this.#state = 'stopped';
    this.#over.abort();
    limitedLogger.end();
    const report = { abandoned: abandoned ?? [] };
    if (wasStarted) logger.info('service stopped', { service: this.name, ...report });
    this.#onStopped(report);
    return report;
  }

  /** `undefined` where there is nothing to drain, as it never started or the start failed. */
  async #prepareDraining(): Promise<Draining | undefined> {
    const { drainGraceMs, stopTimeoutMs } = this.#options;
    const hasStarted = await this.#started?.then(
      () => true,
      () => false,
    );
    if (!hasStarted) return undefined;
    // Kept alive: a process must not end before it knows what it abandoned.
    const expire = () =>
      this.#hurry.abort(new MicroError('timeout', `service "${this.name}": handlers were still running`));
    const timer = setTimeout(expire, stopTimeoutMs);
    this.#over.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    return new Draining({
      core: this.#core,
      events: this.#events,
      registration: this.#intake.registration,
      gateways: this.#intake.gateways,
      invocations: this.#invocations,
      sockets: this.#intake.sockets,
      graceMs: drainGraceMs,
      signal: this.#hurry.signal,
    });
  }

  /**
   * A handler that waits for the stop of its own service is answered before the service is gone, and is not waited for.
   */
  async #stopForHandler(): Promise<StopReport> {
    const draining = await this.#draining;
    return { abandoned: (await draining?.whenOthersAreDone()) ?? [] };
  }

  /** The most impatient of all that ask for a stop decides how long it takes. */
  #hurryAt(signal: AbortSignal | undefined): void {
    if (signal === undefined || this.#state === 'stopped') return;
    if (signal.aborted) this.#hurry.abort(signal.reason);
    // It leaves no listener behind once it is over.
    else
      signal.addEventListener('abort', () => this.#hurry.abort(signal.reason), {
        once: true,
        signal: this.#over.signal,
      });
  }

  #assertNew(method: string): void {
    if (this.#state !== 'new')
      throw new MicroError('conflict', `service "${this.name}": ${method} was called after start`);
  }
}

const stoppedForGood = 'it was stopped, and a stopped service does not start again: make a new one with createService';

const whyNoStart: Readonly<Record<ServiceState, string>> = {
  new: '',
  starting: 'it is starting already',
  running: 'it has started already',
  stopping: stoppedForGood,
  stopped: stoppedForGood,
};
