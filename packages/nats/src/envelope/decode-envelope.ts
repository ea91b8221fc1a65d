import { type Headers, type Message, MicroError } from '@ts-micro/core';
import { hasMoreParts, latin1Of, utf8Of, writeBase64 } from '@ts-micro/kit';
import { KnownHead } from './known-head.ts';

const bodyField = ',"Body":"';

/** From here on it pays to handle the body apart from the rest. */
const largeBytes = 4096;

// An envelope has two, and what others add to one few more.
const mostParts = 1000;

const noBytes = new Uint8Array(0);

const slabBytes = 8192;
let slab = new Uint8Array(0);
let used = 0;

/**
 * Reads Go Micro's envelope as Go does: names of its two fields in any case, others ignored, `null` for nothing, the
 * body in standard
 * base64 with padding and perhaps line breaks. Throws `malformed`.
 */
export function decodeEnvelope(bytes: Uint8Array): Message {
  const usual = decodeUsual(bytes);
  if (usual !== undefined) return usual;
  if (bytes.length >= largeBytes && hasMoreParts(bytes, mostParts))
    throw malformed('it has too many objects and lists');
  const fields = parse(view(bytes).toString('utf8'));
  if (fields === null) return { headers: {}, body: noBytes };
  if (typeof fields !== 'object' || Array.isArray(fields)) throw malformed('it is not a JSON object');
  let headers: Headers | undefined;
  let body: Uint8Array | undefined;
  for (const name in fields) {
    const value = (fields as Record<string, unknown>)[name];
    const field = name === 'Header' || name === 'Body' ? name : name.toLowerCase();
    if (field === 'Header' || field === 'header') {
      const more = headersOf(value);
      if (more === undefined) throw malformed('its Header is not an object of texts');
      headers = headers === undefined ? more : { ...headers, ...more };
    } else if (field === 'Body' || field === 'body') {
      body = bodyOf(value);
      if (body === undefined) throw malformed('its Body is not padded standard base64');
    }
  }
  return { headers: headers ?? {}, body: body ?? noBytes };
}

/**
 * Reads Go Micro's envelope where it certainly is one, else gives `undefined`: an object with a well-typed `Header`,
 * perhaps a
 * well-typed `Body`, and nothing else. For topics on which plain messages of other clients arrive as well.
 */
export function tryDecodeEnvelope(bytes: Uint8Array): Message | undefined {
  // Go writes no white space, other writers may.
  const first = bytes[0];
  if (first !== 0x7b && first !== 0x20 && first !== 0x0a && first !== 0x0d && first !== 0x09) return undefined;
  const usual = decodeUsual(bytes);
  if (usual !== undefined) return usual;
  if (bytes.length >= largeBytes && hasMoreParts(bytes, mostParts)) return undefined;
  let fields: Readonly<Record<string, unknown>> | null;
  try {
    fields = JSON.parse(view(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
  if (fields === null || !Object.hasOwn(fields, 'Header')) return undefined;
  for (const name in fields) if (name !== 'Header' && name !== 'Body') return undefined;
  const headers = headersOf(fields.Header);
  const body = bodyOf(fields.Body ?? null);
  return headers && body && { headers, body };
}

/**
 * An envelope as Go and this package write it, without a JSON parser for the body: the tail `,"Body":"..."}` is cut
 * off, and what is left must be an object with a `Header` only. Anything else gives `undefined` and is read with care.
 */
function decodeUsual(bytes: Uint8Array): Message | undefined {
  const { length } = bytes;
  if (bytes[length - 1] !== 0x7d || bytes[length - 2] !== 0x22) return undefined;
  const bodyStart = view(bytes).lastIndexOf(0x22, length - 3) + 1;
  const headEnd = bodyStart - bodyField.length;
  if (headEnd < 0) return undefined;
  for (let index = 0; index < bodyField.length; index++)
    if (bytes[headEnd + index] !== bodyField.charCodeAt(index)) return undefined;
  const headers = headersOfHead(bytes, headEnd);
  const body = headers && decodeBase64(latin1Of(bytes, bodyStart, length - 2));
  return headers && body && { headers, body };
}

// The same comes again and again, with other values in it.
let known: KnownHead | undefined;
/** How many heads came since that were not known. */
let others = 0;
const longestKept = 1024;
/** Of heads that are not known, one of so many is kept: keeping it costs as much as reading it. */
const keptOf = 64;

/** The headers of an envelope up to its body. Those that may be handed out again are frozen. */
function headersOfHead(bytes: Uint8Array, end: number): Headers | undefined {
  const again = known?.length === end ? known.read(bytes) : undefined;
  if (again !== undefined) {
    others = 0;
    return again;
  }
  const headers = parseHead(bytes, end);
  if (headers === undefined || end > longestKept || others++ % keptOf > 0) return headers;
  const head = bytes.subarray(0, end);
  known = known?.next(head, headers) ?? new KnownHead(head, headers);
  return headers;
}

function parseHead(bytes: Uint8Array, end: number): Headers | undefined {
  if (end >= largeBytes && hasMoreParts(bytes.subarray(0, end), mostParts)) return undefined;
  let fields: { readonly Header?: unknown };
  try {
    fields = JSON.parse(`${utf8Of(bytes, 0, end)}}`);
  } catch {
    return undefined;
  }
  for (const name in fields) if (name !== 'Header') return undefined;
  return fields.Header === undefined ? undefined : headersOf(fields.Header);
}

function headersOf(value: unknown): Headers | undefined {
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  // What JSON.parse made is the caller's own, `__proto__` is plain data in it, and so it needs no copy.
  const headers = value as Record<string, unknown>;
  for (const name in headers) {
    const text = headers[name];
    if (text === null) headers[name] = '';
    else if (typeof text !== 'string') return undefined;
  }
  return headers as Record<string, string>;
}

function bodyOf(value: unknown): Uint8Array | undefined {
  if (value === null) return noBytes;
  return typeof value === 'string' ? decodeBase64(value) : undefined;
}

/** As Node's own pool: small ones share 8 KiB. */
function freshBytes(size: number): Uint8Array {
  if (size > slabBytes / 4) return Buffer.allocUnsafeSlow(size);
  if (used + size > slab.length) {
    slab = new Uint8Array(slabBytes);
    used = 0;
  }
  used += size;
  return new Uint8Array(slab.buffer, used - size, size);
}

/** Strict where Node is lenient: Node skips what is no base64, takes the URL-safe alphabet and needs no padding. */
function decodeBase64(text: string): Uint8Array | undefined {
  const { length } = text;
  if (length === 0) return noBytes;
  if (length % 4 === 0) {
    const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
    const bytes = freshBytes((length / 4) * 3 - padding);
    if (writeBase64(bytes, text, 0) === bytes.length && !text.includes('-') && !text.includes('_')) return bytes;
  }
  if (!text.includes('\n') && !text.includes('\r')) return undefined;
  return decodeBase64(text.replace(/[\r\n]/g, ''));
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's error, which quotes the bytes: this one gets logged.
    throw malformed('it is not JSON');
  }
}

function malformed(why: string): MicroError {
  return new MicroError('malformed', `nats envelope: ${why}`);
}
