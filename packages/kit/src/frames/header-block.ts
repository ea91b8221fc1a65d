import { checkHeaders, type Headers } from '@ts-micro/core';
import { latin1Of, utf8Of } from '@ts-micro/kit';
import { ByteReader, malformed } from './byte-reader.ts';
import { headerNames } from './header-names.ts';
import { writeVaruint } from './varuint.ts';

const noBytes: Uint8Array = new Uint8Array(0);
const noHeaders: Headers = Object.freeze({});

const nameIndexes = new Map(headerNames.map((name, index) => [name, index + 1]));

// Blocks of frozen headers: an object that cannot change is checked and written once.
const blocks = new WeakMap<Headers, Uint8Array>();
let lastHeaders: Headers = noHeaders;
let lastBlock: Uint8Array = noBytes;

// Blocks that came, by their bytes as text: the same few come again and again.
const readBlocks = new Map<string, Headers>();
const maxReadBlocks = 1024;
const maxReadBlockBytes = 512;

const reader = new ByteReader(noBytes);

/** Headers as a header block. Throws `invalid` naming a header that breaks the rules; `who` begins the message. */
export function writeHeaderBlock(headers: Headers, who: string): Uint8Array {
  if (headers === lastHeaders) return lastBlock;
  const known = blocks.get(headers);
  if (known === undefined) {
    checkHeaders(headers, who);
    const block = blockOf(headers);
    if (!Object.isFrozen(headers)) return block;
    // A copy, which holds no more memory than its bytes.
    lastBlock = new Uint8Array(block);
    blocks.set(headers, lastBlock);
  } else {
    lastBlock = known;
  }
  lastHeaders = headers;
  return lastBlock;
}

function blockOf(headers: Headers): Uint8Array {
  const names = Object.keys(headers);
  if (names.length === 0) return noBytes;
  let room = 0;
  // No character takes more than three bytes, no length more than five.
  for (const name of names) room += 11 + 3 * (name.length + (headers[name] as string).length);
  const bytes = Buffer.allocUnsafe(room);
  let end = 0;
  for (const name of names) {
    const index = nameIndexes.get(name) ?? 0;
    bytes[end++] = index;
    if (index === 0) end = writeText(bytes, end, name);
    end = writeText(bytes, end, headers[name] as string);
  }
  return bytes.subarray(0, end);
}

function writeText(bytes: Buffer, offset: number, text: string): number {
  const start = writeVaruint(bytes, offset, Buffer.byteLength(text));
  return start + bytes.write(text, start);
}

/** The headers in a block, frozen, as others may be given the same object. Throws `malformed`. */
export function readHeaderBlock(bytes: Uint8Array, start: number, end: number): Headers {
  if (start === end) return noHeaders;
  if (end - start > maxReadBlockBytes) return headersOf(bytes, start, end);
  const key = latin1Of(bytes, start, end);
  const known = readBlocks.get(key);
  if (known !== undefined) return known;
  const headers = headersOf(bytes, start, end);
  if (readBlocks.size >= maxReadBlocks) readBlocks.clear();
  readBlocks.set(key, headers);
  return headers;
}

function headersOf(bytes: Uint8Array, start: number, end: number): Headers {
  const headers: Record<string, string> = {};
  reader.start(bytes, start);
  while (reader.position < end) {
    const index = bytes[reader.position++] as number;
    const name = index === 0 ? readText() : headerNames[index - 1];
    if (name === undefined) throw malformed(`header name ${index} is not in the table`);
    const value = readText();
    // Plain assignment would lose this one name.
    if (name === '__proto__') Object.defineProperty(headers, name, { value, enumerable: true });
    else headers[name] = value;
  }
  if (reader.position > end) throw malformed('a header reaches beyond the header block');
  return Object.freeze(headers);
}

function readText(): string {
  const length = reader.length();
  const start = reader.position;
  reader.position += length;
  return utf8Of(reader.bytes, start, reader.position);
}
