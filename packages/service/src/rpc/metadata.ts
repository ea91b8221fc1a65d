import type { Headers } from '@ts-micro/core';
import { headerValue } from './header-value.ts';
import { leanHeader } from './lean/headers.ts';

const transportLevel = new Set<string>([
  ...Object.values(leanHeader),
  'accept',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'local',
  'remote',
  'timeout',
]);
const contextual = new Set(['micro-from-service', 'micro-namespace', 'micro-span-id', 'micro-trace-id']);

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

// Names repeat from message to message, so each is judged once; bounded, so that made-up names cannot grow it.
const judged = new Map<string, boolean>();

/**
 * True for a header that belongs to one message and not to the conversation: `Timeout`, `Content-Type`, the lean
 * dialect's, all of `Micro-` but trace, span, namespace and caller.
 */
function isTransportHeader(name: string): boolean {
  const known = judged.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  const answer =
    transportLevel.has(lower) || lower.startsWith('x-micro-') || (lower.startsWith('micro-') && !contextual.has(lower));
  if (judged.size < 1000) judged.set(name, answer);
  return answer;
}

/** A message's headers without those of the transport level: what an application sees as metadata. */
export function metadataOf(headers: Headers): Headers {
  const metadata: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    if (!isTransportHeader(name)) define(metadata, name, headers[name] as string);
  }
  return metadata;
}

/**
 * Returns the part of an incoming message's headers that goes along with the calls and events it leads to: its metadata
 * without the caller's name, and without headers that cannot be sent on. (Go Micro forwards everything.)
 */
export function propagatedMetadata(headers: Headers): Headers {
  const metadata: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    if (isTransportHeader(name) || name.toLowerCase() === 'micro-from-service' || !token.test(name)) continue;
    define(metadata, name, headerValue(headers[name] as string));
  }
  return metadata;
}

function define(metadata: Record<string, string>, name: string, value: string): void {
  // Plain assignment would lose this one name.
  if (name === '__proto__')
    Object.defineProperty(metadata, name, { value, enumerable: true, configurable: true, writable: true });
  else metadata[name] = value;
}
