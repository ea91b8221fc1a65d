import { MicroError } from '@ts-micro/core';
import { type MiddlewareCall, runMiddleware } from '../../middleware.ts';
import { type CodecUse, decodeBody, isLegacy } from '../../rpc/codec/codec.ts';
import { isAbort } from '../../rpc/error-text.ts';
import { answerError, deliver, type Exchange, type ReadableExchange, runtimeError } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';
import type { UnaryRoute } from './routes.ts';
import { lateAnswer, thrownAnswer } from './thrown-answer.ts';

/**
 * Runs a handler and answers exactly once. Never rejects; a handler that returns without a promise is answered in the
 * same turn.
 */
export function answerUnary(exchange: ReadableExchange, route: UnaryRoute, context: HandlerContext): Promise<void> {
  const { request } = exchange;
  let payload: unknown;
  try {
    payload = decodeBody(request.codec, request.body, route.requestUse);
  } catch (error) {
    return answerError(exchange, runtimeError(400, MicroError.textOf(error), 'refused'));
  }
  let result: unknown;
  let isPending: boolean;
  try {
    result = context.run(() => call(exchange, route, context, payload));
    isPending = isPromise(result);
  } catch (thrown) {
    return answerThrown(exchange, thrown, context);
  }
  if (!isPending) return answerResponse(exchange, route, context, result);
  return Promise.resolve(result).then(
    (response) => answerResponse(exchange, route, context, response),
    (thrown) => answerThrown(exchange, thrown, context),
  );
}

function answerResponse(
  exchange: ReadableExchange,
  route: UnaryRoute,
  context: HandlerContext,
  response: unknown,
): Promise<void> {
  const { core, dialect, request } = exchange;
  const late = lateAnswer(context, core.name);
  if (late !== undefined) return answerError(exchange, late);
  const { codec } = request;
  let body: Uint8Array;
  try {
    const use: CodecUse = isLegacy(codec) ? { ...route.responseUse, id: request.id } : route.responseUse;
    body = dialect.encode(response, codec, use);
  } catch (error) {
    core.logger.error('response not encoded', { service: core.name, endpoint: route.endpoint, error });
    return answerError(exchange, runtimeError(500, MicroError.textOf(error), 'failed'));
  }
  return deliver(exchange, dialect.reply(request, body));
}

function answerThrown(exchange: Exchange, thrown: unknown, context: HandlerContext): Promise<void> {
  const answered = answerError(exchange, thrownAnswer(thrown, context, exchange.core.name));
  logCrash(exchange, thrown);
  return answered;
}

/**
 * Logs what a handler threw by accident, and what is `internal`; another `MicroError` is an answer, and so is that it
 * stopped when it was told to.
 */
export function logCrash({ core, request }: Exchange, thrown: unknown): void {
  const isAnswer = MicroError.is(thrown) ? thrown.code !== 'internal' : isAbort(thrown);
  if (!isAnswer) {
    core.logger.error('handler failed', { service: core.name, endpoint: request.name, error: thrown });
  }
}

function call({ core }: Exchange, route: UnaryRoute, context: HandlerContext, payload: unknown): unknown {
  if (core.middleware.length === 0) return route.handler(payload, context);
  const passing: MiddlewareCall = {
    side: 'server',
    kind: 'unary',
    service: core.name,
    name: route.endpoint,
    carrier: core.transport,
    // The one object that the handler sees as its metadata, so that it sees what is set here.
    headers: context.metadata as Record<string, string>,
    payload,
    context,
  };
  return runMiddleware(core.middleware, passing, () => route.handler(passing.payload, context));
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
