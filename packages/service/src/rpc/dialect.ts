import type { Headers, Message, MicroError } from '@ts-micro/core';
import type { Codec, CodecUse } from './codec.ts';
import type { Codecs } from './codecs.ts';
import {
  bareErrorMessage,
  errorMessage,
  isEndOfStream,
  replyFailure,
  replyMessage,
  replyValue,
  streamMessage,
  unsupportedTypeMessage,
} from './reply.ts';
import {
  endOfStreamMessage,
  type IncomingRequest,
  type OutgoingRequest,
  parseRequest,
  requestMessage,
} from './request.ts';

/**
 * How requests and their answers are laid out in messages. There is one now, Go Micro's; a leaner one between ts-micro peers fits here:
 * the client chooses by the node's metadata, the server answers a message in the dialect it came in.
 */
export interface Dialect {
  /** Client: a unary request, or any message of a stream. */
  request(request: OutgoingRequest): Message;
  /** Client: the end of its side of a stream; `isReading` where it still waits for what the server sends. */
  endOfStream(request: OutgoingRequest, isReading: boolean): Message;
  /** Either side: true for the message that ends a stream without an error. */
  isEndOfStream(message: Message): boolean;
  /** Client: the value of an answer; throws what it answered instead. */
  value(message: Message, codec: Codec, use: CodecUse, service: string): unknown;
  /** Client: the error that an answer carries. */
  failure(message: Message, codec: Codec, use: CodecUse, service: string): MicroError | undefined;
  /** Server: never throws, but names a `problem`. */
  parse(message: Message, codecs: Codecs): IncomingRequest;
  /** Server: a unary success. */
  reply(request: IncomingRequest, body: Uint8Array): Message;
  /** Server: a message of a stream. */
  streamMessage(request: IncomingRequest, body: Uint8Array): Message;
  /** Server: an error, or with the text `EOS` the end of a stream. */
  error(request: IncomingRequest, text: string): Message;
  /** Server: the same with no more than must be, for when the other cannot be sent. */
  bareError(request: IncomingRequest, text: string): Message;
  /** Server: no codec knows the content type. */
  unsupportedType(request: IncomingRequest): Message;
}

/** Go Micro's RPC protocol of every version, `mucp`. */
const goMicroDialect: Dialect = {
  request: requestMessage,
  endOfStream: endOfStreamMessage,
  isEndOfStream,
  value: replyValue,
  failure: replyFailure,
  parse: parseRequest,
  reply: replyMessage,
  streamMessage,
  error: errorMessage,
  bareError: bareErrorMessage,
  unsupportedType: unsupportedTypeMessage,
};

/** The dialect a node understands, by its registry metadata. */
export function dialectOfNode(_metadata: Headers | undefined): Dialect {
  return goMicroDialect;
}

/** The dialect a message that came in is written in. */
export function dialectOfMessage(_message: Message): Dialect {
  return goMicroDialect;
}
