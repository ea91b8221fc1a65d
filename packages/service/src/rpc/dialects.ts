import type { Headers, Message } from '@ts-micro/core';
import type { Dialect } from './dialect.ts';
import { isLean, leanDialect } from './lean-dialect.ts';
import {
  bareErrorMessage,
  errorMessage,
  isEndOfStream,
  isReplyTo,
  replyFailure,
  replyMessage,
  replyValue,
  streamMessage,
  unsupportedTypeMessage,
} from './reply.ts';
import { endOfStreamMessage, isHalfClose, parseRequest, requestMessage } from './request.ts';

/** Go Micro's RPC protocol of every version, `mucp`. */
const goMicroDialect: Dialect = {
  request: requestMessage,
  streamRequest: (request, body) => requestMessage({ ...request, body }),
  endOfStream: endOfStreamMessage,
  isEndOfStream,
  isHalfClose,
  isReplyTo,
  value: replyValue,
  failure: replyFailure,
  parse: parseRequest,
  reply: replyMessage,
  streamMessage,
  error: errorMessage,
  bareError: bareErrorMessage,
  unsupportedType: unsupportedTypeMessage,
};

/** What a peer may be spoken to in: `auto` is what it says it understands, `go` Go Micro's dialect whatever it says. */
export type DialectChoice = 'auto' | 'go';

/** True for one of the two. */
export function isDialectChoice(value: unknown): value is DialectChoice {
  return value === 'auto' || value === 'go';
}

const version = '1';

/** What the metadata of a node says that understands the lean dialect. */
export const leanMetadata: Headers = Object.freeze({ 'ts-micro-rpc': version });

/** The dialect for a node, by its registry metadata. */
export function dialectOfNode(metadata: Headers | undefined, choice: DialectChoice): Dialect {
  return choice === 'auto' && metadata?.['ts-micro-rpc'] === version ? leanDialect : goMicroDialect;
}

/** The dialect a message that came in at a server is written in. */
export function dialectOfMessage(message: Message): Dialect {
  return isLean(message.headers) ? leanDialect : goMicroDialect;
}
