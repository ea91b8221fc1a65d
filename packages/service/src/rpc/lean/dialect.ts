import { type Headers, type Message, MicroError } from '@ts-micro/core';
import { shown } from '@ts-micro/kit';
import { type Codec, type CodecUse, decodeBody, encodeBody } from '../codec/codec.ts';
import type { Codecs } from '../codec/codecs.ts';
import { contentType } from '../codec/content-type.ts';
import type { Dialect } from '../dialect.ts';
import { endOfStream } from '../end-of-stream.ts';
import { type ErrorAnswer, originOf } from '../error-origin.ts';
import { headerValue } from '../header-value.ts';
import { metadataOf } from '../metadata.ts';
import { remoteFailure } from '../remote-failure.ts';
import type { IncomingRequest, OutgoingRequest } from '../request.ts';
import {
  clientEndHeaders,
  leanHeader,
  openingHeaders,
  replyHeaders,
  requestHeaders,
  serverEndHeaders,
  streamHeaders,
} from './headers.ts';

const nothing = new Uint8Array(0);

/** The error of a message of a stream that is not open; made once, as whether it is open is known only later. */
const notOpen = new MicroError('malformed', 'a message of a stream that is not open');

/**
 * The dialect between ts-micro peers: only the headers that the receiver cannot know.
 *
 * Headers that repeat are one frozen object, so that a transport can recognise what it has encoded before.
 */
export const leanDialect: Dialect = {
  request({ endpoint, contentType: type, timeoutMs, metadata, isStream, body }: OutgoingRequest): Message {
    let headers = requestHeaders(type, endpoint, timeoutMs);
    if (isStream) headers = { ...headers, ...openingHeaders };
    if (metadata !== undefined) headers = { ...metadataOf(metadata), ...headers };
    return { headers, body };
  },

  streamRequest: (_request, body) => ({ headers: streamHeaders, body }),

  endOfStream: (_request, ending) => ({ headers: clientEndHeaders[ending], body: nothing }),

  isReplyTo: () => true,
  isEndOfStream: ({ headers }) => headers[leanHeader.error] === endOfStream,

  endingOf({ headers }) {
    if (headers[leanHeader.isReading] !== undefined) return 'reading';
    return headers[leanHeader.origin] === 'canceled' ? 'canceled' : 'closed';
  },

  value(message: Message, codec: Codec, use: CodecUse, service: string): unknown {
    const error = failure(message, use, service);
    if (error !== undefined) throw error;
    return message.body.length === 0 && isJson(codec) ? undefined : decodeBody(codec, message.body, use);
  },

  failure: (message, _codec, use, service) => failure(message, use, service),

  parse({ headers, body }: Message, codecs: Codecs): IncomingRequest {
    const type = headers[leanHeader.contentType] ?? contentType.json;
    const stream = headers[leanHeader.stream] ?? '';
    const name = headers[leanHeader.endpoint] ?? '';
    return {
      kind: stream === '' ? 'unary' : 'stream',
      headers,
      body,
      name,
      id: headers[leanHeader.id] ?? '',
      streamId: stream,
      contentType: type,
      codec: codecs.get(type),
      timeout: headers[leanHeader.timeout],
      isLast: headers[leanHeader.isLast] !== undefined,
      problem: name === '' ? notOpen : undefined,
    };
  },

  // An empty body stands for `undefined`, which has no JSON form.
  encode: (value, codec, use) => (value === undefined && isJson(codec) ? nothing : encodeBody(codec, value, use)),
  reply: answer,
  streamMessage: answer,
  error: errorAnswer,
  bareError: errorAnswer,
  unsupportedType: (request) =>
    errorAnswer(request, { text: `unsupported Content-Type: ${shown(request.contentType)}`, origin: 'handler' }),
};

/** True for headers of the lean dialect in a message that came in at a server. */
export function isLean(headers: Headers): boolean {
  return headers[leanHeader.endpoint] !== undefined || headers[leanHeader.stream] !== undefined;
}

function failure({ headers }: Message, use: CodecUse, service: string): MicroError | undefined {
  const text = headers[leanHeader.error];
  if (text === undefined) return undefined;
  return remoteFailure({ text, origin: originOf(headers[leanHeader.origin]) }, `${service} ${use.name}`);
}

function answer(request: IncomingRequest, body: Uint8Array): Message {
  return { headers: withId(replyHeaders(request.contentType), request), body };
}

function errorAnswer(request: IncomingRequest, { text, origin }: ErrorAnswer): Message {
  if (text === endOfStream) return { headers: withId(serverEndHeaders, request), body: nothing };
  const headers: Record<string, string> = { [leanHeader.error]: headerValue(text) };
  if (origin !== 'handler') headers[leanHeader.origin] = origin;
  return { headers: withId(headers, request), body: nothing };
}

function isJson(codec: Codec): boolean {
  return codec.contentType === contentType.json;
}

/** A client of this package gives no id; one that shares a socket among exchanges does, and finds its answers by it. */
function withId(headers: Headers, { id }: IncomingRequest): Headers {
  return id === '' ? headers : { ...headers, [leanHeader.id]: headerValue(id) };
}
