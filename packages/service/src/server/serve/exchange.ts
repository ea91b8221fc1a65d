import { type Message, MicroError, type SendOptions, type Socket } from '@ts-micro/core';
import { shown } from '@ts-micro/kit';
import type { Codec } from '../../rpc/codec/codec.ts';
import type { Dialect } from '../../rpc/dialect.ts';
import type { ErrorAnswer, ErrorOrigin } from '../../rpc/error-origin.ts';
import { formatError, remoteError, runtimeId, shortenError } from '../../rpc/error-text.ts';
import type { IncomingRequest } from '../../rpc/request.ts';
import type { ServiceCore } from './service-core.ts';

/** The way back to who sent a request: its socket, or whatever else it came by. */
type AnswerPath = Pick<Socket, 'local' | 'remote' | 'peer' | 'send' | 'peerClosed'>;

/** One request and the way back to who sent it. */
export interface Exchange {
  readonly core: ServiceCore;
  readonly socket: AnswerPath;
  readonly dialect: Dialect;
  readonly request: IncomingRequest;
}

/** One whose body can be read. */
export interface ReadableExchange extends Exchange {
  readonly request: IncomingRequest & { readonly codec: Codec };
}

/** Who sent it, as limits tell peers apart. */
export function peerOf({ socket }: Exchange): string {
  return socket.peer ?? socket.remote;
}

export function isReadable(exchange: Exchange): exchange is ReadableExchange {
  return exchange.request.codec !== undefined;
}

/** An error that the runtime answers with, `refused` where no handler ran, `failed` where none could be heard. */
export function runtimeError(code: number, detail: string, origin: Exclude<ErrorOrigin, 'handler'>): ErrorAnswer {
  return { text: formatError(remoteError(runtimeId, code, detail)), origin };
}

/** Answers with an error. Never rejects. */
export function answerError(exchange: Exchange, answer: ErrorAnswer): Promise<void> {
  exchange.core.limiter.errors++;
  return deliver(exchange, exchange.dialect.error(exchange.request, answer), answer);
}

/**
 * Sends an answer; where it cannot be sent as it is, an error instead, so that the caller need not wait for its
 * timeout. Never rejects. `error` is given where the answer is that error.
 */
export function deliver(
  exchange: Exchange,
  message: Message,
  error?: ErrorAnswer,
  options?: SendOptions,
): Promise<void> {
  // No async function, as this is done for every request.
  try {
    return exchange.socket.send(message, options).catch((cause) => deliverInstead(exchange, cause, error, options));
  } catch (cause) {
    return deliverInstead(exchange, cause, error, options);
  }
}

async function deliverInstead(
  exchange: Exchange,
  cause: unknown,
  error: ErrorAnswer | undefined,
  options: SendOptions | undefined,
): Promise<void> {
  const answer = error === undefined ? substituteFor(cause, exchange) : { ...error, text: shortenError(error.text) };
  if (answer === undefined || !isAboutMessage(cause)) return logUnsent(exchange, cause);
  try {
    await exchange.socket.send(exchange.dialect.bareError(exchange.request, answer), options);
  } catch (second) {
    logUnsent(exchange, second);
  }
}

function substituteFor(error: unknown, { core, request }: Exchange): ErrorAnswer | undefined {
  if (MicroError.is(error, 'too_large'))
    return runtimeError(413, `${core.name} ${shown(request.name)}: the response is too large`, 'failed');
  if (MicroError.is(error, 'invalid'))
    return runtimeError(500, `${core.name} ${shown(request.name)}: the response cannot be sent`, 'failed');
  return undefined;
}

/** True where a smaller or plainer message may get through. */
function isAboutMessage(error: unknown): boolean {
  return MicroError.is(error, 'too_large') || MicroError.is(error, 'invalid');
}

function logUnsent({ core, socket, request }: Exchange, error: unknown): void {
  const fields = { service: core.name, name: shown(request.name), remote: shown(socket.remote), error };
  if (MicroError.is(error, 'closed') || MicroError.is(error, 'unavailable'))
    core.limitedLogger.debug('answer not sent', fields);
  else core.limitedLogger.warn('answer not sent', fields);
}
