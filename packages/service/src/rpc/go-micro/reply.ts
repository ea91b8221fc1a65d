import { type Headers, type Message, MicroError } from '@ts-micro/core';
import { shown } from '@ts-micro/kit';
import { type Codec, type CodecUse, decodeBody, isLegacy } from '../codec/codec.ts';
import { contentType } from '../codec/content-type.ts';
import { endOfStream } from '../end-of-stream.ts';
import { type ErrorAnswer, type ErrorOrigin, originOf } from '../error-origin.ts';
import { headerValue } from '../header-value.ts';
import { isUnsupportedType, remoteFailure } from '../remote-failure.ts';
import type { IncomingRequest } from '../request.ts';
import { header } from './headers.ts';

const nothing = new Uint8Array(0);

/** A unary success: the id in the spelling received and its `X-` copy, and the content type where there is a body. */
export function replyMessage(request: IncomingRequest, body: Uint8Array): Message {
  const headers: Record<string, string> = {};
  if (body.length > 0) headers['Content-Type'] = request.contentType;
  copyIds(request.headers, headers);
  return { headers, body };
}

/** A message of a stream, server to client. */
export function streamMessage(request: IncomingRequest, body: Uint8Array): Message {
  const service = request.headers[header.service] ?? '';
  const headers: Record<string, string> = {
    'Content-Type': request.contentType,
    'Micro-Service': service,
    'Micro-Method': request.name,
    'Micro-Endpoint': request.name,
    'X-Micro-Service': service,
    'X-Micro-Method': request.name,
    'X-Micro-Endpoint': request.name,
  };
  copyIds(request.headers, headers);
  return { headers, body };
}

/** A unary error, or the end of a stream with or without one: the request's headers and the text. */
export function errorMessage(request: IncomingRequest, answer: ErrorAnswer): Message {
  const value = headerValue(answer.text);
  const headers: Record<string, string> = {
    ...request.headers,
    'Content-Type': request.contentType,
    'Micro-Error': value,
    'X-Micro-Error': value,
  };
  markOrigin(headers, answer.origin, request.id);
  return {
    headers,
    body: request.codec && isLegacy(request.codec) ? request.codec.encodeError(answer.text) : nothing,
  };
}

/** The same without the request's headers but its id, for when those cannot be sent back. */
export function bareErrorMessage(request: IncomingRequest, answer: ErrorAnswer): Message {
  const value = headerValue(answer.text);
  const headers: Record<string, string> = { 'Micro-Error': value, 'X-Micro-Error': value };
  copyIds(request.headers, headers, headerValue);
  if (request.streamId !== '') headers['Micro-Stream'] = headerValue(request.streamId);
  markOrigin(headers, answer.origin, headerValue(request.id));
  return { headers, body: nothing };
}

/**
 * The answer to a content type without a codec: plain text, as a Go server sends it, and an error text so that Go
 * clients need not guess.
 */
export function unsupportedTypeMessage(request: IncomingRequest): Message {
  const text = `unsupported Content-Type: ${shown(request.contentType)}`;
  const { headers } = bareErrorMessage(request, { text, origin: 'handler' });
  return { headers: { ...headers, 'Content-Type': contentType.text }, body: Buffer.from(text) };
}

/** The answer to an event that came over a transport: its headers, and the error text where a subscriber failed. */
export function eventAckMessage(request: IncomingRequest, text?: string): Message {
  const headers: Record<string, string> = { ...request.headers, 'Content-Type': request.contentType };
  if (text !== undefined) headers[header.error] = headerValue(text);
  return { headers, body: nothing };
}

/** True for the message that ends a stream without an error. */
export function isEndOfStream(message: Message): boolean {
  return message.headers[header.error] === endOfStream;
}

/**
 * False for a second answer to an earlier request, which a faulty peer may have sent. Old peers answer without an id.
 */
export function isReplyTo({ headers }: Message, id: string): boolean {
  const answered = headers[header.id] ?? headers[header.oldId];
  return answered === undefined || answered === id;
}

/**
 * The error that a reply, or a stream's message, from `service` carries: what the peer answered (see `remoteFailure`),
 * `unsupported` where it does not know the content type, `malformed` where it cannot be a reply.
 */
export function replyFailure(message: Message, codec: Codec, use: CodecUse, service: string): MicroError | undefined {
  const text = errorTextOf(message, codec);
  const who = `${service} ${use.name}`;
  if (text !== '') return remoteFailure({ text, origin: originOfReply(message, use.id) }, who);
  if (message.headers[header.contentType] !== contentType.text || codec.contentType === contentType.text)
    return undefined;
  const said = Buffer.from(message.body).toString('utf8');
  if (isUnsupportedType(said)) return remoteFailure({ text: said, origin: 'handler' }, who);
  return new MicroError('malformed', `${who}: the reply is plain text where ${codec.contentType} was asked for`);
}

/** The value of a reply. Throws its failure, or `malformed` where the body does not decode. */
export function replyValue(message: Message, codec: Codec, use: CodecUse, service: string): unknown {
  const failure = replyFailure(message, codec, use, service);
  if (failure !== undefined) throw failure;
  return decodeBody(codec, message.body, use);
}

/** The error text of a message, empty where it has none. */
function errorTextOf(message: Message, codec: Codec): string {
  const text = message.headers[header.error] || message.headers['X-Micro-Error'];
  if (text) return text;
  if (!isLegacy(codec) || message.body.length === 0) return '';
  try {
    return codec.inspect(message.body).error;
  } catch {
    // What does not parse says so when it is decoded.
    return '';
  }
}

/**
 * Marks the runtime's own words, with the id of the request they are about: a Go proxy passes the headers of an answer
 * on, and its own request, which may have been its second try, has another id than the one that it was asked with.
 */
function markOrigin(headers: Record<string, string>, origin: ErrorOrigin, id: string): void {
  // The request's headers, which an error repeats, may hold anything.
  delete headers[header.runtime];
  if (origin !== 'handler') headers[header.runtime] = id === '' ? origin : `${origin} ${id}`;
}

function originOfReply({ headers }: Message, id: string | undefined): ErrorOrigin {
  const mark = headers[header.runtime];
  if (mark === undefined) return 'handler';
  const [origin, about] = mark.split(' ', 2);
  return about === id ? originOf(origin) : 'handler';
}

function copyIds(from: Headers, to: Record<string, string>, map?: (id: string) => string): void {
  const id = from[header.id];
  if (id !== undefined) {
    to['Micro-ID'] = to['X-Micro-ID'] = map ? map(id) : id;
  }
  const oldId = from[header.oldId];
  if (oldId !== undefined) {
    to['Micro-Id'] = to['X-Micro-Id'] = map ? map(oldId) : oldId;
  }
}
