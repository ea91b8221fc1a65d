import { MicroError } from '@ts-micro/core';
import type { Endpoint } from '../define/endpoint.ts';
import { inTime, mostCheckMs } from '../validate/in-time.ts';
import { isPromise, validate } from '../validate/validate.ts';

interface Failure {
  readonly name: string;
  readonly data: unknown;
  readonly detail: string;
}

/** A handler's error that its endpoint is defined with, its data checked. */
class EndpointError extends MicroError {
  readonly endpoint: Endpoint;
  readonly failure: Failure;

  constructor(error: MicroError, endpoint: Endpoint, failure: Failure) {
    super('remote', error.message, { cause: error, ...(error.remote && { remote: error.remote }) });
    this.endpoint = endpoint;
    this.failure = failure;
  }
}

/**
 * Returns the error of a call as one of the endpoint's own errors, where it is one and its data fits; else as it is, so
 * that its words are not lost. It returns at once, or a promise where the data's schema is asynchronous. Never throws.
 */
export function narrowed(error: unknown, what: string, endpoint: Endpoint): unknown {
  if (!MicroError.is(error, 'remote') || error.remote?.name === undefined) return error;
  const { name, data, detail } = error.remote;
  const schema = Object.hasOwn(endpoint.errors, name) ? endpoint.errors[name] : undefined;
  if (schema === undefined) return error;
  const made = (output: unknown) => new EndpointError(error, endpoint, { name, data: output, detail });
  try {
    const output = validate(schema, data, (why) => new MicroError('malformed', `${what}: error ${name}: ${why}`));
    return isPromise(output) ? inTime(output, [], what, mostCheckMs).then(made, () => error) : made(output);
  } catch {
    return error;
  }
}

/** Which of an endpoint's own errors `error` is. */
export function failureOf(error: unknown, endpoint: Endpoint): Failure | undefined {
  return error instanceof EndpointError && error.endpoint === endpoint ? error.failure : undefined;
}
