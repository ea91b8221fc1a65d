import { type Message, MicroError, type Socket } from '@ts-micro/core';
import type { Codec } from '../../rpc/codec.ts';
import type { Dialect } from '../../rpc/dialect.ts';
import { formatError, remoteError, runtimeId, shortenError } from '../../rpc/error-text.ts';
import type { IncomingRequest } from '../../rpc/request.ts';
import type { ServiceCore } from './service-core.ts';

/** One request and the way back to who sent it. */
export interface Exchange {
  readonly core: ServiceCore;
  readonly socket: Socket;
  readonly dialect: Dialect;
  readonly request: IncomingRequest;
}

/** One whose body can be read. */
export interface ReadableExchange extends Exchange {
  readonly request: IncomingRequest & { readonly codec: Codec };
}

export function isReadable(exchange: Exchange): exchange is ReadableExchange {
  return exchange.request.codec !== undefined;
}

/** The text of an error that the runtime answers with, as no handler ran or none could be heard. */
export function runtimeError(code: number, detail: string): string {
  return formatError(remoteError(runtimeId, code, detail));
}

/** Answers with an error. Never rejects. */
export function answerError(exchange: Exchange, text: string): Promise<void> {
  exchange.core.limiter.errors++;
  return deliver(exchange, exchange.dialect.error(exchange.request, text), text);
}

/**
 * Sends an answer; where it cannot be sent as it is, an error instead, so that the caller need not wait for its timeout. Never rejects.
 * `errorText` is given where the answer is that error.
 */
export function deliver(exchange: Exchange, message: Message, errorText?: string): Promise<void> {
  // No async function, as this is done for every request.
  try {
    return exchange.socket.send(message).catch((error) => deliverInstead(exchange, error, errorText));
  } catch (error) {
    return deliverInstead(exchange, error, errorText);
  }
}

async function deliverInstead(exchange: Exchange, error: unknown, errorText: string | undefined): Promise<void> {
  const text = errorText === undefined ? substituteFor(error, exchange) : shortenError(errorText);
  if (text === undefined || !isAboutMessage(error)) return logUnsent(exchange, error);
  try {
    await exchange.socket.send(exchange.dialect.bareError(exchange.request, text));
  } catch (second) {
    logUnsent(exchange, second);
  }
}

function substituteFor(error: unknown, { core, request }: Exchange): string | undefined {
  if (MicroError.is(error, 'too_large'))
    return runtimeError(413, `${core.name} ${request.name}: the response is too large`);
  if (MicroError.is(error, 'invalid'))
    return runtimeError(500, `${core.name} ${request.name}: the response cannot be sent`);
  return undefined;
}

/** True where a smaller or plainer message may get through. */
function isAboutMessage(error: unknown): boolean {
  return MicroError.is(error, 'too_large') || MicroError.is(error, 'invalid');
}

function logUnsent({ core, socket, request }: Exchange, error: unknown): void {
  const fields = { service: core.name, name: request.name, remote: socket.remote, error };
  if (MicroError.is(error, 'closed') || MicroError.is(error, 'unavailable'))
    core.limitedLogger.debug('answer not sent', fields);
  else core.limitedLogger.warn('answer not sent', fields);
}
