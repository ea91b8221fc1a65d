import type { Message, MicroError } from '@ts-micro/core';
import type { Codec, CodecUse } from './codec/codec.ts';
import type { Codecs } from './codec/codecs.ts';
import type { StreamEnding } from './end-of-stream.ts';
import type { ErrorAnswer } from './error-origin.ts';
import type { IncomingRequest, OutgoingRequest, StreamRequest } from './request.ts';

/**
 * How requests and their answers are laid out in messages: as Go Micro does, or leaner between ts-micro peers. The
 * client chooses by the node's metadata, the server answers a message in the dialect it came in.
 */
export interface Dialect {
  /** Client: a unary request, or the message that opens a stream. */
  request(request: OutgoingRequest): Message;
  /** Client: a further message of a stream. */
  streamRequest(request: StreamRequest, body: Uint8Array): Message;
  /** Client: the end of its side of a stream. */
  endOfStream(request: StreamRequest, ending: StreamEnding): Message;
  /** Either side: true for the message that ends a stream without an error. */
  isEndOfStream(message: Message): boolean;
  /** Server: how the client ended its side; `undefined` for a client that does not say, as Go's. */
  endingOf(message: Message): StreamEnding | undefined;
  /** Client: false for what answers another request than that with `id`. */
  isReplyTo(message: Message, id: string): boolean;
  /** Client: the value of an answer; throws what it answered instead. */
  value(message: Message, codec: Codec, use: CodecUse, service: string): unknown;
  /** Client: the error that an answer carries. */
  failure(message: Message, codec: Codec, use: CodecUse, service: string): MicroError | undefined;
  /** Server: never throws, but names a `problem`. */
  parse(message: Message, codecs: Codecs): IncomingRequest;
  /** Server: the bytes of a response or a stream's value. Throws `invalid`. */
  encode(value: unknown, codec: Codec, use: CodecUse): Uint8Array;
  /** Server: a unary success. */
  reply(request: IncomingRequest, body: Uint8Array): Message;
  /** Server: a message of a stream. */
  streamMessage(request: IncomingRequest, body: Uint8Array): Message;
  /** Server: an error, or with the text `EOS` the end of a stream. */
  error(request: IncomingRequest, answer: ErrorAnswer): Message;
  /** Server: the same with no more than must be, for when the other cannot be sent. */
  bareError(request: IncomingRequest, answer: ErrorAnswer): Message;
  /** Server: no codec knows the content type. */
  unsupportedType(request: IncomingRequest): Message;
}
