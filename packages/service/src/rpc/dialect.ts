import type { Message, MicroError } from '@ts-micro/core';
import type { Codec, CodecUse } from './codec.ts';
import type { Codecs } from './codecs.ts';
import type { IncomingRequest, OutgoingRequest, StreamRequest } from './request.ts';

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
