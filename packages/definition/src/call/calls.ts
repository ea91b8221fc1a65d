import { MicroError } from '@ts-micro/core';
import { OptionChecks } from '@ts-micro/kit';
import type { CallOptions, Client, MessageStream, StreamOptions } from '@ts-micro/service';
import type { Endpoint, EndpointKind } from '../define/endpoint.ts';
import { exactCodecs } from '../json/exact-json.ts';
import { CheckedStream } from '../validate/checked-stream.ts';
import { type Check, incomingCheck, outgoingCheck, refusalOf } from '../validate/checks.ts';
import { inTime, mostCheckMs } from '../validate/in-time.ts';
import { isPromise } from '../validate/validate.ts';
import { LazyResponses } from './lazy-responses.ts';
import { failureOf, narrowed } from './narrowed.ts';
import { checkRequests, upload } from './upload.ts';
import { withDefaults } from './with-defaults.ts';

const checks = new OptionChecks('client');

/** How long the check of a message of a stream may take. */
const mostMessageCheckMs = 60_000;

/** One endpoint as a client calls it. */
export interface CalledEndpoint {
  readonly client: Client;
  readonly service: string;
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly validateRequests: boolean;
  readonly validateResponses: boolean;
}

/** An endpoint with what its calls need, made once. */
interface Prepared extends CalledEndpoint {
  readonly what: string;
  readonly checkRequest: Check | undefined;
  readonly checkResponse: Check | undefined;
  readonly defaults: CallOptions;
  readonly failure: (error: unknown) => unknown;
}

/** The function that calls an endpoint. */
export function makeCall(called: CalledEndpoint): unknown {
  const { endpoint } = called;
  const failure = (error: unknown) => failureOf(error, endpoint);
  return Object.assign(makers[endpoint.kind](prepare(called)), { failure });
}

const makers: Readonly<Record<EndpointKind, (prepared: Prepared) => (...given: never[]) => unknown>> = {
  unary,
  serverStream: (prepared) => (request: unknown, options?: StreamOptions) =>
    new LazyResponses(prepared.what, options?.signal, (signal) =>
      openResponses(prepared, request, { ...withDefaults(prepared.defaults, options), signal }),
    ),
  clientStream: (prepared) => async (requests: Iterable<unknown>, options?: StreamOptions) => {
    checkRequests(prepared.what, requests);
    return upload(prepared.what, await open(prepared, options), requests);
  },
  bidiStream: (prepared) => (options?: StreamOptions) => open(prepared, options),
};

function prepare(called: CalledEndpoint): Prepared {
  const { service, name, endpoint, validateRequests, validateResponses } = called;
  const { contentType, exactIntegers, idempotent } = endpoint;
  const what = `client: ${service} ${name}`;
  const codecs = endpoint.codecs ?? (exactIntegers ? exactCodecs : undefined);
  const invalid = refusalOf((message) => new MicroError('invalid', message), `${what}: the request does not fit`);
  const malformed = refusalOf((message) => new MicroError('malformed', message), `${what}: the response does not fit`);
  return {
    ...called,
    what,
    checkRequest: outgoingCheck(endpoint.request, validateRequests, endpoint, false, invalid),
    checkResponse: incomingCheck(endpoint.response, validateResponses, malformed),
    defaults: { contentType, ...(codecs && { codecs }), ...(idempotent && { idempotent }) },
    failure: (error) => narrowed(error, what, endpoint),
  };
}

function unary(prepared: Prepared) {
  const { client, service, name, checkRequest, checkResponse, defaults, failure } = prepared;
  const fail = async (error: unknown) => {
    throw await failure(error);
  };
  const call = (request: unknown, options: CallOptions | undefined, startedAt: number) => {
    const response = client.call(service, name, request, withDefaults(defaults, options));
    if (checkResponse === undefined) return response.catch(fail);
    return response.then((value) => {
      const checked = checkResponse(value);
      return isPromise(checked) ? within(prepared, checked, options, startedAt) : checked;
    }, fail);
  };
  return (request: unknown, options?: CallOptions): Promise<unknown> => {
    const startedAt = performance.now();
    try {
      const checked = checkRequest === undefined ? request : checkRequest(request);
      if (checkRequest === undefined || !isPromise(checked)) return call(checked, options, startedAt);
      return within(prepared, checked, options, startedAt).then((value) => {
        const left = options?.timeoutMs && { timeoutMs: Math.max(1, leftOf(options.timeoutMs, startedAt)) };
        return call(value, left ? { ...options, ...left } : options, startedAt);
      });
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

/** Waits for a check no longer than the whole call may take. Rejects with `invalid` for a time that is none. */
async function within(
  { what }: Prepared,
  checking: Promise<unknown>,
  options: CallOptions | undefined,
  startedAt: number,
): Promise<unknown> {
  if (options?.timeoutMs !== undefined) {
    // Heard where this rejects before it waits.
    Promise.resolve(checking).catch(() => {});
    checks.milliseconds('timeoutMs', options.timeoutMs);
  }
  const boundMs = options?.timeoutMs === undefined ? mostCheckMs : leftOf(options.timeoutMs, startedAt);
  return inTime(checking, [options, options?.context], `${what}: the check`, boundMs);
}

function leftOf(timeoutMs: number, startedAt: number): number {
  return Math.max(0, timeoutMs - (performance.now() - startedAt));
}

async function open(prepared: Prepared, options: StreamOptions | undefined): Promise<CheckedStream> {
  return checkedStream(prepared, options, prepared.checkRequest);
}

/** Opens a server stream: its one request is checked before. */
async function openResponses(
  prepared: Prepared,
  request: unknown,
  options: StreamOptions | undefined,
): Promise<MessageStream> {
  const checked = prepared.checkRequest?.(request);
  if (isPromise(checked)) await within(prepared, checked, options, performance.now());
  const stream = await checkedStream(prepared, options, undefined);
  try {
    await stream.send(request);
    return stream;
  } catch (error) {
    await stream.close();
    throw error;
  }
}

async function checkedStream(
  { client, service, name, what, checkResponse, defaults, failure }: Prepared,
  options: StreamOptions | undefined,
  send: Check | undefined,
): Promise<CheckedStream> {
  const stream = await client.stream(service, name, withDefaults(defaults, options));
  const limits = [options, options?.context];
  const boundMs = options?.streamIdleMs ?? mostMessageCheckMs;
  return new CheckedStream(stream, { what, send, receive: checkResponse, failure, limits, boundMs });
}
