import type { Headers, Message } from '@ts-micro/core';
import { base64Of, writeLatin1, writeUtf8 } from '@ts-micro/kit';

const prefix = '{"Header":{';
const middle = '},"Body":"';

/** A header in JSON as it was written last, with a comma before it. */
interface Written {
  readonly value: string;
  readonly text: string;
  readonly isAscii: boolean;
}

// Most headers of a message are those of the one before. Bounded, so that made-up names and long values cannot grow it.
const written = new Map<string, Written>();
const maxNames = 1000;
const maxValueLength = 256;

// What comes before the body for the frozen headers of the last message: an object that cannot change is written once.
let frozenHeaders: Headers | undefined;
let frozenHead = new Uint8Array(0);
const longestKept = 1024;

const slabBytes = 64 * 1024;
let slab = new Uint8Array(0);
let used = 0;

/** Matches unless JSON with Go's HTML escapes writes the text as it is, in ASCII. */
const needsCare = /[^ !#-%'-;=?-[\]-~]/;
const htmlEscapes = /[<>&\u2028\u2029]/g;

/**
 * Returns a message as Go Micro's envelope, byte for byte as Go writes it: `{"Header":{...},"Body":"<base64>"}`.
 *
 * Header names are sorted. `Header` is an object even without headers, as unmodified Go servers die of `null` there. An
 * empty body is `""`, which Go reads as it reads `null`. The bytes are fresh and share nothing with the message.
 */
export function encodeEnvelope({ headers, body }: Message): Uint8Array {
  // In two pieces, which spares the body the copy into one text.
  const bodyText = base64Of(body);
  if (headers !== frozenHeaders) return envelopeOf(headers, bodyText);
  const bytes = freshBytes(frozenHead.length + bodyText.length + 2);
  bytes.set(frozenHead);
  finish(bytes, frozenHead.length, bodyText);
  return bytes;
}

function envelopeOf(headers: Headers, bodyText: string): Uint8Array {
  const names = sortedNames(headers);
  let list = '';
  let isAscii = true;
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as string;
    const value = headers[name] as string;
    let header = written.get(name);
    if (header === undefined || header.value !== value) header = write(name, value);
    list += header.text;
    isAscii &&= header.isAscii;
  }
  const text = `${prefix}${list.slice(1)}${middle}`;
  const length = isAscii ? text.length : Buffer.byteLength(text);
  const bytes = freshBytes(length + bodyText.length + 2);
  if (isAscii) writeLatin1(bytes, text, 0);
  else writeUtf8(bytes, text, 0);
  finish(bytes, length, bodyText);
  if (length <= longestKept && Object.isFrozen(headers)) {
    frozenHeaders = headers;
    frozenHead = new Uint8Array(bytes.subarray(0, length));
  }
  return bytes;
}

function finish(bytes: Uint8Array, headLength: number, bodyText: string): void {
  writeLatin1(bytes, bodyText, headLength);
  bytes[bytes.length - 2] = 0x22;
  bytes[bytes.length - 1] = 0x7d;
}

/** As `Buffer.allocUnsafe`, which takes memory of its own for each buffer of 4 KiB or more. */
function freshBytes(size: number): Uint8Array {
  if (size > slabBytes / 8) return Buffer.allocUnsafeSlow(size);
  if (used + size > slab.length) {
    slab = Buffer.allocUnsafeSlow(slabBytes);
    used = 0;
  }
  used += size;
  return new Uint8Array(slab.buffer, used - size, size);
}

function write(name: string, value: string): Written {
  const isAscii = !needsCare.test(name) && !needsCare.test(value);
  const text = isAscii ? `,"${name}":"${value}"` : `,"${escaped(name)}":"${escaped(value)}"`;
  const header = { value, text, isAscii };
  if (value.length <= maxValueLength && (written.size < maxNames || written.has(name))) written.set(name, header);
  return header;
}

/** Header names are ASCII, for which JavaScript's order is the order of the bytes. */
function sortedNames(headers: Headers): string[] {
  const names = Object.keys(headers);
  // Insertion: names are few, and mostly in order already.
  for (let index = 1; index < names.length; index++) {
    const name = names[index] as string;
    let place = index;
    for (; place > 0 && (names[place - 1] as string) > name; place--) names[place] = names[place - 1] as string;
    names[place] = name;
  }
  return names;
}

function escaped(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(htmlEscapes, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
