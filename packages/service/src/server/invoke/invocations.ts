import { abortError, type Message, MicroError } from '@ts-micro/core';
import { abortFanOut, OptionChecks, type OptionNames, throwIfAborted } from '@ts-micro/kit';
import { encodeBody, isLegacy } from '../../rpc/codec/codec.ts';
import { contentType as knownTypes } from '../../rpc/codec/content-type.ts';
import { ownBytes } from '../../rpc/codec/own-bytes.ts';
import type { Dialect } from '../../rpc/dialect.ts';
import { leanDialect } from '../../rpc/lean/dialect.ts';
import type { IncomingRequest } from '../../rpc/request.ts';
import { nanosecondsOf } from '../../rpc/timeout.ts';
import { admit, contextOf, isError, readRequest, routeOf } from '../serve/admission.ts';
import { answerError, deliver, type Exchange, isReadable } from '../serve/exchange.ts';
import type { HandlerContext } from '../serve/handler-context.ts';
import type { UnaryRoute } from '../serve/routes.ts';
import type { ServiceCore } from '../serve/service-core.ts';
import { answerUnary } from '../serve/unary.ts';
import type { InvokeOptions, InvokeRequest, InvokeResponse } from './invoke.ts';

/** The answers stay in this process, so their layout is anybody's; bodies are those that a plain client expects. */
const dialect: Dialect = { ...leanDialect, encode: (value, codec, use) => encodeBody(codec, value, use) };

const requestNames: OptionNames<InvokeRequest> = { body: true, contentType: true, metadata: ['headers'] };
const optionNames: OptionNames<InvokeOptions> = {
  signal: ['abortSignal'],
  timeoutMs: true,
  local: true,
  remote: true,
  peer: true,
};

/** The requests that came to a service by its `invoke`. They share everything with those that come over a transport. */
export class Invocations {
  readonly #core: ServiceCore;
  readonly #open = new Set<Invocation>();

  constructor(core: ServiceCore) {
    this.#core = core;
  }

  /** Resolves with the handler's answer; rejects as a client's call does. */
  async invoke(endpoint: string, request: InvokeRequest, options: InvokeOptions): Promise<InvokeResponse> {
    const core = this.#core;
    if (typeof request !== 'object' || request === null || typeof options !== 'object' || options === null)
      throw new MicroError('invalid', `service "${core.name}": invoke takes a request and options that are objects`);
    checkInvocation(`service "${core.name}": invoke`, endpoint, request, options);
    throwIfAborted(options.signal, `${core.name} ${endpoint}`);
    const invocation = new Invocation(core, incomingOf(core, endpoint, request, options), options);
    this.#open.add(invocation);
    try {
      return await invocation.run();
    } finally {
      this.#open.delete(invocation);
    }
  }

  /** Lets nobody wait any longer for what still runs. */
  abandon(reason: MicroError): void {
    for (const invocation of this.#open) invocation.abandon(reason);
  }
}

class Invocation {
  readonly #exchange: Exchange;
  readonly #options: InvokeOptions;
  readonly #what: string;
  readonly #answered: Promise<InvokeResponse>;
  #context: HandlerContext | undefined;
  #resolve: (response: InvokeResponse) => void = () => {};
  #reject: (error: MicroError) => void = () => {};

  constructor(core: ServiceCore, request: IncomingRequest, options: InvokeOptions) {
    const { local = '', remote = '', peer = remote } = options;
    this.#options = options;
    this.#what = `${core.name} ${request.name}`;
    const send = async (message: Message) => this.#answer(message);
    this.#exchange = { core, dialect, request, socket: { local, remote, peer, send } };
    this.#answered = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  async run(): Promise<InvokeResponse> {
    const { signal, timeoutMs } = this.#options;
    const waiting = { onAbort: (aborted: AbortSignal) => this.abandon(abortError(aborted, this.#what)) };
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.#expire(timeoutMs), timeoutMs);
    if (signal) abortFanOut.add(signal, waiting);
    try {
      this.#begin();
      return await this.#answered;
    } finally {
      clearTimeout(timer);
      if (signal) abortFanOut.delete(signal, waiting);
    }
  }

  /** Tells the handler to stop, and waits for it no longer. */
  abandon(reason: MicroError): void {
    this.#context?.abort(reason);
    this.#reject(reason);
  }

  #begin(): void {
    const exchange = this.#exchange;
    const { core, request } = exchange;
    const route = routeOf(core, request, 'unary');
    if (!isReadable(exchange)) {
      core.limiter.errors++;
      void deliver(exchange, dialect.unsupportedType(request));
    } else if (isError(route)) {
      void answerError(exchange, route);
    } else {
      const context = contextOf(exchange);
      this.#context = context;
      const run = () => answerUnary(exchange, route as UnaryRoute, context);
      admit({ exchange, context, run, done: () => {} });
    }
  }

  #expire(timeoutMs: number): void {
    this.#context?.abort(new DOMException(`${this.#what}: the deadline of the caller`, 'TimeoutError'));
    this.#reject(new MicroError('timeout', `${this.#what}: no answer within ${timeoutMs} ms`));
  }

  #answer(message: Message): void {
    const { core, request } = this.#exchange;
    const { codec, name, contentType } = request;
    const use = { kind: 'response', name } as const;
    const error = dialect.failure(message, codec as NonNullable<typeof codec>, use, core.name);
    if (error === undefined) this.#resolve({ contentType, body: message.body });
    else this.#reject(error);
  }
}

function incomingOf(
  core: ServiceCore,
  endpoint: string,
  { body, contentType = knownTypes.json, metadata }: InvokeRequest,
  { timeoutMs }: InvokeOptions,
): IncomingRequest {
  const codec = core.codecs.get(contentType);
  const request: IncomingRequest = {
    kind: 'unary',
    headers: { ...metadata, 'Content-Type': contentType },
    body: ownBytes(body) as Uint8Array,
    name: endpoint,
    id: '',
    streamId: '',
    contentType,
    codec,
    timeout: timeoutMs === undefined ? undefined : nanosecondsOf(timeoutMs),
    isLast: false,
    problem: undefined,
  };
  const read = readRequest(core, request);
  // A legacy wrapper holds what is given beside the body here.
  return read.codec !== undefined && isLegacy(read.codec) ? { ...read, codec: undefined } : read;
}

function checkInvocation(who: string, endpoint: string, request: InvokeRequest, options: InvokeOptions): void {
  const checks = new OptionChecks(who);
  checks.named(request, requestNames);
  checks.named(options, optionNames);
  const { body, contentType, metadata } = request;
  const { timeoutMs, local, remote, peer } = options;
  checks.text('endpoint', endpoint);
  if (ownBytes(body) === undefined) throw checks.invalid('body', body, 'bytes');
  if (metadata !== undefined) checks.texts('metadata', metadata);
  if (contentType !== undefined) checks.text('contentType', contentType);
  for (const [name, value] of Object.entries({ local, remote, peer })) {
    if (value !== undefined && typeof value !== 'string') throw checks.invalid(name, value, 'a string');
  }
  if (timeoutMs !== undefined) checks.milliseconds('timeoutMs', timeoutMs);
}
