import { type Headers, MicroError, type ValueRecord } from '@ts-micro/core';
import { OptionChecks, shown } from '@ts-micro/kit';
import type { CodecUse } from '../../rpc/codec/codec.ts';
import type { Codecs } from '../../rpc/codec/codecs.ts';
import type { MessageStream } from '../../stream/message-stream.ts';
import { checkAdvertised, handleOptionNames } from '../check-advertised.ts';
import type { RequestContext } from './handler-context.ts';

/** Answers a request: what it returns is the response, what it throws the error. */
export type RequestHandler<Request = unknown, Response = unknown> = (
  request: Request,
  context: RequestContext,
) => Response | Promise<Response>;

/** Holds a conversation: the stream ends when it returns, and fails with what it throws. */
export type StreamHandler<Send = unknown, Receive = unknown> = (
  stream: MessageStream<Send, Receive>,
  context: RequestContext,
) => void | Promise<void>;

export interface HandleOptions {
  /** Advertised with the endpoint. */
  readonly metadata?: Headers | undefined;
  /** The shape of a request, advertised with the endpoint. */
  readonly request?: ValueRecord | undefined;
  /** The shape of a response, advertised with the endpoint. */
  readonly response?: ValueRecord | undefined;
  /** The codecs for its bodies, instead of the service's. */
  readonly codecs?: Codecs | undefined;
  /** Served but not advertised. @default false */
  readonly internal?: boolean | undefined;
}

export type Route = UnaryRoute | StreamRoute;

interface RouteBase {
  readonly endpoint: string;
  readonly options: HandleOptions;
  readonly requestUse: CodecUse;
  readonly responseUse: CodecUse;
}

export interface UnaryRoute extends RouteBase {
  readonly kind: 'unary';
  readonly handler: RequestHandler;
}

export interface StreamRoute extends RouteBase {
  readonly kind: 'stream';
  readonly handler: StreamHandler;
}

/** The endpoints of a service by name, `Type.Method`. */
export class Routes {
  readonly #what: string;
  readonly #byEndpoint = new Map<string, Route>();
  readonly #types = new Set<string>();
  #hasCodecs = false;

  constructor(what: string) {
    this.#what = what;
  }

  addUnary(endpoint: string, handler: RequestHandler, options: HandleOptions): void {
    this.#add({ ...this.#route(endpoint, options), kind: 'unary', handler });
  }

  addStream(endpoint: string, handler: StreamHandler, options: HandleOptions): void {
    this.#add({ ...this.#route(endpoint, options), kind: 'stream', handler });
  }

  /** True where an endpoint has codecs of its own. */
  get hasCodecs(): boolean {
    return this.#hasCodecs;
  }

  get(endpoint: string): Route | undefined {
    return this.#byEndpoint.get(endpoint);
  }

  all(): readonly Route[] {
    return [...this.#byEndpoint.values()];
  }

  /** The words of Go Micro's router for an endpoint that is not there. */
  explainMissing(endpoint: string): string {
    const dot = endpoint.indexOf('.');
    if (dot === -1 || endpoint.includes('.', dot + 1))
      return `rpc: service/endpoint request ill-formed: ${shown(endpoint)}`;
    const type = endpoint.slice(0, dot);
    return this.#types.has(type)
      ? `rpc: can't find method ${shown(endpoint.slice(dot + 1))}`
      : `rpc: can't find service ${shown(type)}`;
  }

  #route(endpoint: string, options: HandleOptions): RouteBase {
    if (typeof endpoint !== 'string' || !/^[^.\s]+\.[^.\s]+$/.test(endpoint))
      throw new MicroError('invalid', `${this.#what}: endpoint "${String(endpoint)}" is not of the form Type.Method`);
    checkAdvertised(`${this.#what}: endpoint "${endpoint}"`, options, handleOptionNames);
    return {
      endpoint,
      options,
      requestUse: { kind: 'request', name: endpoint },
      responseUse: { kind: 'response', name: endpoint },
    };
  }

  #add(route: Route): void {
    new OptionChecks(`${this.#what}: endpoint "${route.endpoint}"`).function('handler', route.handler);
    if (this.#byEndpoint.has(route.endpoint))
      throw new MicroError('conflict', `${this.#what}: endpoint "${route.endpoint}" has a handler already`);
    this.#byEndpoint.set(route.endpoint, route);
    this.#hasCodecs ||= route.options.codecs !== undefined;
    this.#types.add(route.endpoint.slice(0, route.endpoint.indexOf('.')));
  }
}
