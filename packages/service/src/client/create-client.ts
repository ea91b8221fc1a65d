import { type AbortOptions, checkHeaders, type Headers, type MicroError } from '@ts-micro/core';
import { abortable, Lifetime, OptionChecks, throwIfAborted } from '@ts-micro/kit';
import { type Middleware, type MiddlewareCall, runMiddleware } from '../middleware.ts';
import type { MessageStream } from '../stream/message-stream.ts';
import {
  callOptionNames,
  checkOutgoing,
  checkTarget,
  eventOptionNames,
  streamOptionNames,
} from './call/check-outgoing.ts';
import { publishEvent } from './call/event-publisher.ts';
import { oneOfEachName, outgoingMetadata } from './call/outgoing-metadata.ts';
import { StreamOpener } from './call/stream-opener.ts';
import { UnaryCall, type UnaryRequest } from './call/unary-call.ts';
import { WrappedCalls } from './call/wrapped-calls.ts';
import type { Client } from './client.ts';
import {
  type CallOptions,
  type ClientOptions,
  type ClientSettings,
  checkTime,
  clientSettings,
  type EventOptions,
  type OutgoingOptions,
  type StreamOptions,
} from './client-options.ts';
import { Attempts } from './retry/attempts.ts';

const checks = new OptionChecks('client');
const closeTimeoutMs = 5000;

/** Makes a client on the plugins given, which stay their owner's. Throws `invalid` naming option and value. */
export function createClient(options: ClientOptions): Client {
  return new PluginClient(clientSettings(options), options.middleware ?? []);
}

class PluginClient implements Client {
  readonly #settings: ClientSettings;
  readonly #attempts: Attempts;
  readonly #streams: StreamOpener;
  readonly #wrapped: WrappedCalls;
  readonly #middleware: Middleware[];
  readonly #lifetime: Lifetime = new Lifetime('client', (options) => this.#release(options));

  constructor(settings: ClientSettings, middleware: readonly Middleware[]) {
    this.#settings = settings;
    this.#middleware = [...middleware];
    this.#attempts = new Attempts(settings);
    this.#streams = new StreamOpener(this.#attempts);
    this.#wrapped = new WrappedCalls(this.#attempts.clock);
  }

  get closed(): Promise<MicroError | undefined> {
    return this.#lifetime.closed;
  }

  call<Response>(service: string, endpoint: string, request?: unknown, options?: CallOptions): Promise<Response> {
    if (!this.#lifetime.isOpen) return Promise.reject(this.#lifetime.closedError());
    try {
      checkOutgoing(options, callOptionNames);
      checkTarget(service, endpoint, options);
      const metadata = outgoingMetadata(this.#settings.callMetadata, options);
      // Neither async nor a closure where nothing wraps the call: the hottest path there is.
      const response =
        this.#middleware.length === 0
          ? this.#unary(service, endpoint, { payload: request, metadata }, options)
          : this.#wrap('unary', service, endpoint, request, options, (call) =>
              this.#unary(
                service,
                endpoint,
                { payload: call.payload, metadata: metadataOf(call), notes: call },
                options,
              ),
            );
      return response as Promise<Response>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async stream<Send, Receive>(
    service: string,
    endpoint: string,
    options?: StreamOptions,
  ): Promise<MessageStream<Send, Receive>> {
    this.#lifetime.assertOpen();
    checkOutgoing(options, streamOptionNames);
    checkTarget(service, endpoint, options);
    const stream = await this.#wrap('stream', service, endpoint, undefined, options, (call) =>
      this.#streams.open(service, endpoint, options, metadataOf(call), call),
    );
    return stream as MessageStream<Send, Receive>;
  }

  publish(topic: string, event?: unknown, options?: EventOptions): Promise<void> {
    if (!this.#lifetime.isOpen) return Promise.reject(this.#lifetime.closedError());
    const settings = this.#settings;
    try {
      checkOutgoing(options, eventOptionNames);
      // As for calls.
      if (this.#middleware.length > 0) return this.#wrapEvent(topic, event, options);
      return publishEvent(settings, topic, event, options, outgoingMetadata(settings.callMetadata, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  use(middleware: Middleware): void {
    checks.functions('middleware', [middleware]);
    this.#middleware.push(middleware);
  }

  close(options?: AbortOptions): Promise<void> {
    return this.#lifetime.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #unary(service: string, endpoint: string, request: UnaryRequest, options: CallOptions | undefined): Promise<unknown> {
    return this.#attempts.run(new UnaryCall(this.#attempts, service, endpoint, request, options));
  }

  async #wrapEvent(topic: string, event: unknown, options: EventOptions | undefined): Promise<void> {
    this.#lifetime.assertOpen(options);
    await this.#wrap('event', '', topic, event, options, (call) =>
      publishEvent(this.#settings, topic, call.payload, options, metadataOf(call)),
    );
  }

  #wrap(
    kind: MiddlewareCall['kind'],
    service: string,
    name: string,
    payload: unknown,
    options: OutgoingOptions | undefined,
    last: (call: MiddlewareCall) => Promise<unknown>,
  ): Promise<unknown> {
    const { transport, broker, callMetadata } = this.#settings;
    const what = kind === 'event' ? `client: publishing on "${name}"` : `client: ${service} ${name}`;
    // A signal that has aborted is told by what `next` leads to, and here where there is no `next`.
    throwIfAborted(options?.signal, what);
    const timeoutMs = (options as CallOptions | undefined)?.timeoutMs ?? this.#settings.timeoutMs;
    checkTime('timeoutMs', timeoutMs);
    const carrier = kind === 'event' ? (broker?.name ?? '') : transport.name;
    const headers = { ...outgoingMetadata(callMetadata, options) };
    const context = options?.context;
    const call: MiddlewareCall = { side: 'client', kind, service, name, carrier, headers, payload, context };
    const signals = [options?.signal, context?.signal];
    const onLate = kind === 'stream' ? closeStream : undefined;
    return this.#wrapped.run({ what, timeoutMs, signals, onLate }, (next) =>
      runMiddleware(this.#middleware, call, () => next(() => last(call))),
    );
  }

  async #release({ signal }: AbortOptions): Promise<void> {
    const attempts = this.#attempts;
    const wrapped = this.#wrapped;
    const running = Math.max(attempts.running, wrapped.running);
    let abandoned: unknown;
    if (running > 0) {
      const bound = AbortSignal.timeout(closeTimeoutMs);
      const limit = signal ? AbortSignal.any([signal, bound]) : bound;
      const idle = wrapped.idle().then(() => attempts.idle());
      await abortable(idle, limit, `client: closing with ${running} running calls`).catch((error) => {
        abandoned = error;
      });
    }
    await this.#streams.close();
    wrapped.close();
    await attempts.close();
    if (abandoned !== undefined) throw abandoned;
  }
}

/** What a middleware gave too late is in nobody's hands. */
function closeStream(value: unknown): void {
  const { close } = (value ?? {}) as Partial<MessageStream>;
  if (typeof close === 'function') void close.call(value);
}

/** Returns what goes out with a call; `undefined` for nothing, which costs less. Throws `invalid`. */
function metadataOf({ headers }: MiddlewareCall): Headers | undefined {
  checkHeaders(headers, 'client: the headers of its middleware');
  for (const _name in headers) return oneOfEachName(headers);
  return undefined;
}
