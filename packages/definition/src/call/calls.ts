import { MicroError } from '@ts-micro/core';
import type { CallOptions, Client, MessageStream, StreamOptions } from '@ts-micro/service';
import type { Endpoint, EndpointKind } from '../define/endpoint.ts';
import { exactCodecs } from '../json/exact-json.ts';
import { CheckedStream } from '../validate/checked-stream.ts';
import { type Check, incomingCheck, outgoingCheck, refusalOf } from '../validate/checks.ts';
import { isPromise } from '../validate/validate.ts';
import { LazyResponses } from './lazy-responses.ts';
import { failureOf, narrowed } from './narrowed.ts';
import { upload } from './upload.ts';

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
    new LazyResponses(prepared.what, async () => {
      const stream = await open(prepared, options, prepared.checkRequest?.(request));
      return sent(stream, request);
    }),
  clientStream: (prepared) => async (requests: Iterable<unknown>, options?: StreamOptions) =>
    upload(prepared.what, await open(prepared, options), requests),
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

function unary({ client, service, name, checkRequest, checkResponse, defaults, failure }: Prepared) {
  const fail = async (error: unknown) => {
    throw await failure(error);
  };
  const call = (request: unknown, options: CallOptions | undefined) => {
    const given = options === undefined ? defaults : { ...defaults, ...options };
    const response = client.call(service, name, request, given);
    return checkResponse === undefined ? response.catch(fail) : response.then(checkResponse, fail);
  };
  return (request: unknown, options?: CallOptions): Promise<unknown> => {
    if (checkRequest === undefined) return call(request, options);
    let checked: unknown;
    try {
      checked = checkRequest(request);
    } catch (error) {
      return Promise.reject(error);
    }
    return isPromise(checked) ? checked.then((value) => call(value, options)) : call(checked, options);
  };
}

/** Opens a stream once `checking` is over. */
async function open(
  { client, service, name, checkRequest, checkResponse, defaults, failure }: Prepared,
  options: StreamOptions | undefined,
  checking?: unknown,
): Promise<CheckedStream> {
  await checking;
  const stream = await client.stream(service, name, { ...defaults, ...options });
  // The one request of a server stream was checked before.
  const send = checking === undefined ? checkRequest : undefined;
  return new CheckedStream(stream, { send, receive: checkResponse, failure });
}

async function sent(stream: MessageStream, value: unknown): Promise<MessageStream> {
  try {
    await stream.send(value);
    return stream;
  } catch (error) {
    await stream.close();
    throw error;
  }
}
