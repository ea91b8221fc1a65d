import type { Headers, Message, MicroError } from '@ts-micro/core';
import type { Codec, CodecUse } from './codec.ts';
import type { Codecs } from './codecs.ts';
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
import {
  endOfStreamMessage,
  type IncomingRequest,
  isHalfClose,
  type OutgoingRequest,
  parseRequest,
  requestMessage,
  type StreamRequest,
} from './request.ts';

/**
 * How requests and their answers are laid out in messages: as Go Micro does, or leaner between ts-micro peers. The client chooses by the
 * node's metadata, the server answers a message in the dialect it came in.
 */
export interface Dialect {
  /** Client: a unary request, or the message that opens a stream. */
  request(request: OutgoingRequest): Message;
  /** Client: a further message of a stream. */
  streamRequest(request: StreamRequest, body: Uint8Array): Message;
  /** Client: the end of its side of a stream; `isReading` where it still waits for what the server sends. */
  endOfStream(request: StreamRequest, isReading: boolean): Message;
  /** Either side: true for the message that ends a stream without an error. */
  isEndOfStream(message: Message): boolean;
  /** Server: true for the end of a stream whose sender still reads. */
  isHalfClose(message: Message): boolean;
  /** Client: false for what answers another request than that with `id`. */
  isReplyTo(message: Message, id: string): boolean;
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
