import { STATUS_CODES } from 'node:http';
import { MicroError, type RemoteError } from '@ts-micro/core';
import type { Endpoint } from '../define/endpoint.ts';
import type { FailOptions } from '../define/failures.ts';
import { unfitForJson } from '../json/unfit-for-json.ts';
import { isPromise, validate } from '../validate/validate.ts';

/**
 * Makes the errors that an endpoint is defined with. Data that does not fit, or a name that is not defined, is an
 * `internal` error instead.
 */
export function failOf(
  service: string,
  what: string,
  endpoint: Endpoint,
): (name: string, data: unknown, options?: FailOptions) => MicroError {
  return (name, data, options = {}) => {
    const internal = (why: string) => new MicroError('internal', `${what}: error ${name}: ${why}`);
    const schema = Object.hasOwn(endpoint.errors, name) ? endpoint.errors[name] : undefined;
    if (schema === undefined) return internal('is not among those of the definition');
    const why = unfitForJson(data, { allowsBigInt: false, allowsUndefined: true });
    if (why !== undefined) return internal(why);
    try {
      const output = validate(schema, data, internal);
      // A handler throws now. What takes its time to check, the client checks.
      if (isPromise(output)) output.catch(() => {});
    } catch (error) {
      return MicroError.from(error, 'internal', what);
    }
    const remote = remoteOf(service, name, data, options);
    return new MicroError('remote', `${what}: ${remote.detail}`, { remote });
  };
}

function remoteOf(id: string, name: string, data: unknown, options: FailOptions): RemoteError {
  const { code = 400, detail = name.replaceAll('_', ' ') } = options;
  return { id, code, detail, status: STATUS_CODES[code] ?? '', name, data };
}
