import { type Headers, type Message, MicroError } from '@ts-micro/core';
import type { Codecs } from '../codec/codecs.ts';
import { defaultContentType } from '../codec/content-type.ts';
import { endOfStream, type StreamEnding } from '../end-of-stream.ts';
import { metadataOf } from '../metadata.ts';
import type { IncomingRequest, OutgoingRequest, StreamRequest } from '../request.ts';
import { nanosecondsOf } from '../timeout.ts';
import { header } from './headers.ts';

const nothing = new Uint8Array(0);
const keepAlive = 'keep-alive';
const continues = 'continues';
const opens = 'opens';

/** The error of a message of a stream that is not open; made once, as whether it is open is known only later. */
const notOpen = new MicroError('malformed', 'a message of a stream that is not open');

/**
 * The message of a request, with both spellings of the id, so that servers of every version answer with one. That it is
 * the last one only a ts-micro server is told, as `Connection: close` makes Go's cancel it.
 */
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
  if (timeoutMs !== undefined) headers.Timeout = nanosecondsOf(timeoutMs);
  if (request.isStream) headers['Micro-Stream'] = id;
  if (request.isLast) headers[header.runtime] = opens;
  return { headers, body: request.body };
}

/**
 * The message of a value that follows the opener of a stream. To a Go server both look alike; what comes so late that
 * the stream was given up must not open it anew.
 */
export function streamRequestMessage(request: StreamRequest, body: Uint8Array): Message {
  const { headers } = requestMessage({ ...request, body });
  return { headers: { ...headers, [header.runtime]: continues }, body };
}

/**
 * The message with which a client ends its side of a stream.
 *
 * A Go client that ends it is gone, and says no more than that. Headers that a Go server ignores tell a ts-micro
 * server the rest.
 */
export function endOfStreamMessage(request: StreamRequest, ending: StreamEnding): Message {
  const { headers } = requestMessage({ ...request, body: nothing });
  const ended: Record<string, string> = { ...headers, [header.error]: endOfStream };
  if (ending === 'reading') ended[header.connection] = keepAlive;
  else ended[header.runtime] = ending;
  return { headers: ended, body: nothing };
}

/** How the client ended its side of a stream; `undefined` where it does not say, as Go's clients. */
export function endingOf({ headers }: Message): StreamEnding | undefined {
  if (headers[header.connection] === keepAlive) return 'reading';
  const ending = headers[header.runtime];
  return ending === 'closed' || ending === 'canceled' ? ending : undefined;
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
  let problem = headers[header.runtime] === continues ? notOpen : undefined;
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
    isLast: headers[header.connection] === 'close' || headers[header.runtime] === opens,
    problem,
  };
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
