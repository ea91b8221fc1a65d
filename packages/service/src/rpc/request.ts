import { type Headers, type Message, MicroError } from '@ts-micro/core';
import type { Codec } from './codec.ts';
import type { Codecs } from './codecs.ts';
import { defaultContentType } from './content-type.ts';
import { endOfStream, header } from './headers.ts';
import { metadataOf } from './metadata.ts';

/** A request about to be sent: the opener or a later message of a stream, or a unary one. */
export interface OutgoingRequest {
  readonly service: string;
  readonly endpoint: string;
  /** Unique on its socket; of all messages of a stream the same. */
  readonly id: string;
  /** As it goes on the wire: see `codecForNode`. */
  readonly contentType: string;
  /** The content type asked for, where the wire names a legacy wrapper. @default contentType */
  readonly accept?: string | undefined;
  readonly body: Uint8Array;
  readonly isStream?: boolean | undefined;
  /** The time that remains for the answer. */
  readonly timeoutMs?: number | undefined;
  /** The application's headers; names of the transport level are left out. */
  readonly metadata?: Headers | undefined;
}

/** What all messages of a stream repeat. */
export type StreamRequest = Omit<OutgoingRequest, 'body'>;

const nothing = new Uint8Array(0);
const keepAlive = 'keep-alive';

/** The message of a request, with both spellings of the id, so that servers of every version answer with one. */
export function requestMessage(request: OutgoingRequest): Message {
  const { endpoint, id, contentType, timeoutMs } = request;
  const headers: Record<string, string> = {
    ...(request.metadata && metadataOf(request.metadata)),
    'Content-Type': contentType,
    Accept: request.accept ?? contentType,
    'Micro-Service': request.service,
    'Micro-Method': endpoint,
    'Micro-Endpoint': endpoint,
    'Micro-ID': id,
    'Micro-Id': id,
  };
  if (timeoutMs !== undefined) headers.Timeout = nanoseconds(timeoutMs);
  if (request.isStream) headers['Micro-Stream'] = id;
  return { headers, body: request.body };
}

/**
 * The message with which a client ends its side of a stream.
 *
 * A Go client that ends it is gone; `isReading` tells a ts-micro server, by a header that a Go server ignores, that this one still reads.
 */
export function endOfStreamMessage(request: StreamRequest, isReading: boolean): Message {
  const { headers } = requestMessage({ ...request, body: nothing });
  const ended: Record<string, string> = { ...headers, [header.error]: endOfStream };
  if (isReading) ended[header.connection] = keepAlive;
  return { headers: ended, body: nothing };
}

/** True for an end of stream whose sender still reads. */
export function isHalfClose({ headers }: Message): boolean {
  return headers[header.connection] === keepAlive;
}

/** What a server makes of a message. */
export interface IncomingRequest {
  readonly kind: 'unary' | 'stream' | 'event';
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** `Greeter.Hello`; empty where the message names none. Of an event, the topic. */
  readonly name: string;
  /** Empty where the message has none. */
  readonly id: string;
  /** What binds the messages of a stream to each other. */
  readonly streamId: string;
  readonly contentType: string;
  /** `undefined` where no codec knows the content type. */
  readonly codec: Codec | undefined;
  /** The time it leaves for its answer in nanoseconds, as the peer wrote it. */
  readonly timeout: string | undefined;
  /** The sender has no further requests on this socket. */
  readonly isLast: boolean;
  /** Why it cannot be served: `malformed` where only the body could name the endpoint and does not parse. */
  readonly problem: MicroError | undefined;
}

/** Reads a request as every version of Go Micro writes it. Never throws: see {@link IncomingRequest.problem}. */
export function parseRequest(message: Message, codecs: Codecs): IncomingRequest {
  const { headers, body } = message;
  const type = headers[header.contentType] || defaultContentType;
  const streamId = headers[header.stream] || headers['X-Micro-Stream'] || '';
  const topic = headers[header.topic];
  let codec = codecs.get(type);
  let id = headers[header.id] ?? headers[header.oldId] ?? '';
  let name: string;
  let problem: MicroError | undefined;
  if (topic) {
    name = topic;
  } else {
    name = endpointOf(headers);
    if (isLegacyRequest(headers, name)) {
      const legacy = codecs.legacy(type);
      if (legacy !== undefined) {
        codec = legacy;
        try {
          const envelope = legacy.inspect(body);
          name = envelope.endpoint || name;
          id = id || envelope.id;
        } catch (error) {
          problem = MicroError.from(error, 'malformed', 'rpc: the request does not parse');
        }
      }
    }
  }
  return {
    kind: topic ? 'event' : streamId !== '' ? 'stream' : 'unary',
    headers,
    body,
    name,
    id,
    streamId,
    contentType: type,
    codec,
    // That of an event is left over from the request in whose course it was published.
    timeout: topic ? undefined : headers[header.timeout],
    isLast: headers[header.connection] === 'close',
    problem,
  };
}

/** The milliseconds of {@link IncomingRequest.timeout}; `undefined` unless it is a positive whole number. */
export function timeoutMsOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,19}$/.test(text)) return undefined;
  const timeoutMs = Number(text) / 1e6;
  return timeoutMs > 0 ? timeoutMs : undefined;
}

function endpointOf(headers: Headers): string {
  return (
    headers[header.endpoint] || headers[header.method] || headers['X-Micro-Endpoint'] || headers['X-Micro-Method'] || ''
  );
}

function isLegacyRequest(headers: Headers, endpoint: string): boolean {
  if (headers[header.protocol]) return false;
  if (headers[header.target] || headers['X-Micro-Target']) return true;
  return endpoint === '' && !headers[header.service] && !headers['X-Micro-Service'];
}

function nanoseconds(timeoutMs: number): string {
  if (Number.isNaN(timeoutMs)) throw new MicroError('invalid', 'rpc: timeoutMs is not a number');
  return String(Math.min(Math.max(Math.round(timeoutMs * 1e6), 1), Number.MAX_SAFE_INTEGER));
}
