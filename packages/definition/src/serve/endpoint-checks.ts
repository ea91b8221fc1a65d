import { MicroError } from '@ts-micro/core';
import { refuse } from '@ts-micro/service';
import type { Endpoint } from '../define/endpoint.ts';
import { type Check, incomingCheck, outgoingCheck, refusalOf } from '../validate/checks.ts';

/** One endpoint of a service, and what is checked of it. */
export interface ServedEndpoint {
  /** `greeter Greeter.Hello`, which begins every error. */
  readonly what: string;
  readonly service: string;
  readonly endpoint: Endpoint;
  readonly validateRequests: boolean;
  readonly validateResponses: boolean;
}

/** Refuses a request that does not fit, with `invalid`, as no handler has seen it. */
export function requestCheck({ what, endpoint, validateRequests }: ServedEndpoint): Check | undefined {
  return incomingCheck(
    endpoint.request,
    validateRequests,
    refusalOf((message) => refuse('invalid', message), `${what}: the request does not fit`),
  );
}

/**
 * Fails a response that does not fit. The log has the path; the caller is told that the service is at fault and no
 * more.
 */
export function responseCheck({ what, service, endpoint, validateResponses }: ServedEndpoint): Check | undefined {
  const detail = `${what}: the response does not fit the definition`;
  const remote = { id: service, code: 500, detail, status: 'Internal Server Error' };
  return outgoingCheck(
    endpoint.response,
    validateResponses,
    endpoint,
    true,
    refusalOf((message) => new MicroError('internal', message, { remote }), `${what}: the response does not fit`),
  );
}
