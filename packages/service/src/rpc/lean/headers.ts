import type { Headers } from '@ts-micro/core';
import { contentType } from '../codec/content-type.ts';
import { endOfStream, type StreamEnding } from '../end-of-stream.ts';
import { nanosecondsOf } from '../timeout.ts';

/** The header names of the lean dialect; Go Micro uses none that begins with a tilde. */
export const leanHeader = {
  /** The endpoint of a request, or of the message that opens a stream. */
  endpoint: '~e',
  /** The time that remains for the answer, in nanoseconds; absent where there is no limit. */
  timeout: '~t',
  /** The content type; absent for JSON. */
  contentType: '~c',
  /** Present where several exchanges share a socket, and then repeated by every answer. */
  id: '~i',
  /** Binds a stream's messages from the client to each other. */
  stream: '~s',
  /** The text of an error, the same as in `Micro-Error`; `EOS` ends a side of a stream. */
  error: '~x',
  /** With an end of stream: its sender still reads. */
  isReading: '~r',
  /**
   * With an error: that the runtime says it and no handler; see `error-origin.ts`. With a client's end of stream: that
   * it is canceled.
   */
  origin: '~o',
  /** With the opening of a stream: nothing else is asked on this socket, which the server closes after its end. */
  isLast: '~l',
} as const;

/** No headers, always the same: what a transport has encoded once it need not encode again. */
const noHeaders: Headers = Object.freeze({});

/** A client has a socket for each stream, so that one id does for all. */
const streamId = '1';
export const streamHeaders: Headers = Object.freeze({ [leanHeader.stream]: streamId });
export const openingHeaders: Headers = Object.freeze({ ...streamHeaders, [leanHeader.isLast]: '1' });
export const serverEndHeaders: Headers = Object.freeze({ [leanHeader.error]: endOfStream });

const ended = { ...streamHeaders, [leanHeader.error]: endOfStream };
/** The end of a client's side of a stream. */
export const clientEndHeaders: Readonly<Record<StreamEnding, Headers>> = Object.freeze({
  reading: Object.freeze({ ...ended, [leanHeader.isReading]: '1' }),
  closed: Object.freeze(ended),
  canceled: Object.freeze({ ...ended, [leanHeader.origin]: 'canceled' }),
});

/** How many headers of requests, and of replies, are kept for the next one like them. */
const limit = 1000;

type ByTimeout = Map<number, Headers>;
const requests = new Map<string, Map<string, ByTimeout>>();
let requestCount = 0;

/**
 * The frozen headers of a unary request; the same object for the same endpoint, content type and time, rounded up to
 * milliseconds.
 */
export function requestHeaders(type: string, endpoint: string, timeoutMs: number | undefined): Headers {
  const roundedMs = timeoutMs === undefined ? 0 : Math.max(1, Math.ceil(timeoutMs - 0.001));
  return requests.get(type)?.get(endpoint)?.get(roundedMs) ?? addRequestHeaders(type, endpoint, roundedMs);
}

function addRequestHeaders(type: string, endpoint: string, timeoutMs: number): Headers {
  if (++requestCount > limit) {
    requests.clear();
    requestCount = 1;
  }
  const headers: Record<string, string> = { [leanHeader.endpoint]: endpoint };
  if (timeoutMs > 0) headers[leanHeader.timeout] = nanosecondsOf(timeoutMs);
  if (type !== contentType.json) headers[leanHeader.contentType] = type;
  const byTimeout = entry(entry(requests, type, newMap<string, ByTimeout>), endpoint, newMap<number, Headers>);
  byTimeout.set(timeoutMs, Object.freeze(headers));
  return headers;
}

const replies = new Map<string, Headers>();

/** The frozen headers of a success; none for JSON. */
export function replyHeaders(type: string): Headers {
  if (type === contentType.json) return noHeaders;
  const known = replies.get(type);
  if (known !== undefined) return known;
  if (replies.size >= limit) replies.clear();
  const headers = Object.freeze({ [leanHeader.contentType]: type });
  replies.set(type, headers);
  return headers;
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function newMap<Key, Value>(): Map<Key, Value> {
  return new Map();
}
