import type { RequestContext, RequestHandler } from '@ts-micro/service';
import { inTime } from '../validate/in-time.ts';
import { isPromise } from '../validate/validate.ts';
import { requestCheck, responseCheck, type ServedEndpoint } from './endpoint-checks.ts';
import { failOf } from './typed-error.ts';

/**
 * A typed handler as the service runs it. What need not be awaited is done in the same turn, as the service itself
 * does.
 */
export function unaryHandler(
  served: ServedEndpoint,
  handler: (request: unknown, context: RequestContext, fail: unknown) => unknown,
): RequestHandler {
  const fail = failOf(served.service, served.what, served.endpoint);
  const checkRequest = requestCheck(served);
  const checkResponse = responseCheck(served);
  // No longer than the caller waits.
  const checked = (value: unknown, context: RequestContext): unknown =>
    isPromise(value) ? inTime(value, [context], `${served.what}: the check`) : value;
  const answer = (request: unknown, context: RequestContext): unknown => {
    const response = handler(request, context, fail);
    if (checkResponse === undefined) return response;
    // A promise of any make.
    return isPromise(response)
      ? Promise.resolve(response).then((value) => checked(checkResponse(value), context))
      : checked(checkResponse(response), context);
  };
  if (checkRequest === undefined) return answer;
  return (payload, context) => {
    const request = checked(checkRequest(payload), context);
    return isPromise(request) ? request.then((value) => answer(value, context)) : answer(request, context);
  };
}
