import { encodeBody } from '../codec/codec.ts';
import type { Dialect } from '../dialect.ts';
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
import { endingOf, endOfStreamMessage, parseRequest, requestMessage, streamRequestMessage } from './request.ts';

/** Go Micro's RPC protocol of every version, `mucp`. */
export const goMicroDialect: Dialect = {
  request: requestMessage,
  streamRequest: streamRequestMessage,
  endOfStream: endOfStreamMessage,
  isEndOfStream,
  endingOf,
  isReplyTo,
  value: replyValue,
  failure: replyFailure,
  parse: parseRequest,
  encode: (value, codec, use) => encodeBody(codec, value, use),
  reply: replyMessage,
  streamMessage,
  error: errorMessage,
  bareError: bareErrorMessage,
  unsupportedType: unsupportedTypeMessage,
};
