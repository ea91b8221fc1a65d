import { type Headers, type Message, MicroError } from '@ts-micro/core';

const prefix = '{"Header":{';
const middle = '},"Body":"';

// A header name as it stands in JSON, `"Content-Type":"`; bounded, so that made-up names cannot grow it.
const writtenNames = new Map<string, string>();

/** Matches unless JSON with Go's HTML escapes writes the text as it is, in ASCII. */
const needsCare = /[^ !#-%'-;=?-[\]-~]/;
const htmlEscapes = /[<>&\u2028\u2029]/g;

/**
 * A message as Go Micro's envelope, byte for byte as Go writes it: `{"Header":{...},"Body":"<base64>"}`.
 *
 * Header names are sorted; `Header` is an object also when there is none, and an empty body is `""`, never `null`: Go takes either for
 * an empty body, and unmodified Go servers die of a `null` header. The bytes are fresh and share nothing with the message.
 */
export function encodeEnvelope(message: Message): Uint8Array {
  const { headers, body } = message;
  const names = sortedNames(headers);
  let text = prefix;
  let isAscii = true;
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as string;
    const value = headers[name] as string;
    const start = writtenNames.get(name) ?? writeName(name);
    if (index > 0) text += ',';
    if (needsCare.test(value) || start.length !== name.length + 4) {
      isAscii = false;
      text += `${start}${escaped(value)}"`;
    } else {
      text += `${start}${value}"`;
    }
  }
  text += middle;
  const bodyText = body.length === 0 ? '' : base64(body);
  const textLength = isAscii ? text.length : Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(textLength + bodyText.length + 2);
  if (isAscii) bytes.write(text, 0, 'latin1');
  else bytes.write(text, 0, 'utf8');
  bytes.write(bodyText, textLength, 'latin1');
  bytes[bytes.length - 2] = 0x22;
  bytes[bytes.length - 1] = 0x7d;
  return bytes;
}

/**
 * Reads Go Micro's envelope as Go does: names of its two fields in any case, others ignored, `null` for nothing, the body in standard
 * base64 with padding and perhaps line breaks. Throws `malformed`.
 */
export function decodeEnvelope(bytes: Uint8Array): Message {
  const message = decodeUsual(bytes);
  if (message !== undefined) return message;
  const fields = parse(view(bytes).toString('utf8'));
  if (fields === null) return { headers: {}, body: new Uint8Array(0) };
  if (typeof fields !== 'object' || Array.isArray(fields)) throw malformed('it is not a JSON object');
  let headers: Headers | undefined;
  let body: Uint8Array | undefined;
  for (const [name, value] of Object.entries(fields)) {
    const field = name.toLowerCase();
    if (field === 'header') {
      const more = checkedHeaders(value);
      if (more === undefined) throw malformed('its Header is not an object of texts');
      headers = headers === undefined ? more : { ...headers, ...more };
    } else if (field === 'body') {
      const more = value === null ? new Uint8Array(0) : typeof value === 'string' ? decodeBase64(value) : undefined;
      if (more === undefined) throw malformed('its Body is not padded standard base64');
      body = more;
    }
  }
  return { headers: headers ?? {}, body: body ?? new Uint8Array(0) };
}

/**
 * Reads Go Micro's envelope where it certainly is one, else gives `undefined`: an object with a well-typed `Header`, perhaps a
 * well-typed `Body`, and nothing else. For topics on which plain messages of other clients arrive as well.
 */
export function tryDecodeEnvelope(bytes: Uint8Array): Message | undefined {
  // `{"` at least; Go writes no white space, other writers may.
  const first = bytes[0];
  if (first !== 0x7b && first !== 0x20 && first !== 0x0a && first !== 0x0d && first !== 0x09) return undefined;
  const usual = decodeUsual(bytes);
  if (usual !== undefined) return usual;
  let fields: unknown;
  try {
    fields = JSON.parse(view(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null || !Object.hasOwn(fields, 'Header')) return undefined;
  const { Header: header, Body: text = null, ...others } = fields as Record<string, unknown>;
  const headers = checkedHeaders(header);
  const body = text === null ? new Uint8Array(0) : typeof text === 'string' ? decodeBase64(text) : undefined;
  if (headers === undefined || body === undefined || Object.keys(others).length > 0) return undefined;
  return { headers, body };
}

/**
 * The envelope as Go and this package write it, without a JSON parser for the body: the tail `,"Body":"..."}` is cut off, and what is
 * left must be an object with a `Header` only. Anything unusual gives `undefined` and is read again with care.
 */
function decodeUsual(bytes: Uint8Array): Message | undefined {
  const { length } = bytes;
  if (bytes[length - 1] !== 0x7d || bytes[length - 2] !== 0x22 || length < 24) return undefined;
  const buffer = view(bytes);
  const bodyStart = buffer.lastIndexOf(0x22, length - 3) + 1;
  const headEnd = bodyStart - 9;
  if (headEnd < 11 || buffer.toString('latin1', headEnd, bodyStart) !== ',"Body":"') return undefined;
  let fields: { readonly Header?: unknown };
  try {
    fields = JSON.parse(`${buffer.toString('utf8', 0, headEnd)}}`);
  } catch {
    return undefined;
  }
  for (const name in fields) if (name !== 'Header') return undefined;
  const headers = fields.Header === undefined ? undefined : checkedHeaders(fields.Header);
  const body = headers && decodeBase64(buffer.toString('latin1', bodyStart, length - 2));
  return headers && body && { headers, body };
}

function sortedNames(headers: Headers): string[] {
  const names = Object.keys(headers);
  for (let index = 1; index < names.length; index++) {
    // Header names are ASCII, for which JavaScript's order is the order of the bytes.
    if ((names[index - 1] as string) > (names[index] as string)) return names.sort();
  }
  return names;
}

function writeName(name: string): string {
  const written = `"${needsCare.test(name) ? escaped(name) : name}":"`;
  if (writtenNames.size < 1000) writtenNames.set(name, written);
  return written;
}

function escaped(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(htmlEscapes, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function checkedHeaders(value: unknown): Headers | undefined {
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

/** Strict where Node is lenient: Node skips what is no base64, takes the URL-safe alphabet and needs no padding. */
function decodeBase64(text: string): Uint8Array | undefined {
  const { length } = text;
  if (length === 0) return new Uint8Array(0);
  if (length % 4 === 0) {
    const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length === (length / 4) * 3 - padding && !text.includes('-') && !text.includes('_')) return bytes;
  }
  if (!text.includes('\n') && !text.includes('\r')) return undefined;
  return decodeBase64(text.replace(/[\r\n]/g, ''));
}

function base64(body: Uint8Array): string {
  return view(body).toString('base64');
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's own message would quote the bytes.
    throw new MicroError('malformed', 'nats envelope: it is not JSON', { cause: error });
  }
}

function malformed(why: string): MicroError {
  return new MicroError('malformed', `nats envelope: ${why}`);
}
