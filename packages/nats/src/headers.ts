import { type Headers, MicroError } from '@ts-micro/core';

/** The headers of a message to publish, as both generations of the client take them. */
export interface EncodedHeaders {
  encode(): Uint8Array;
}

/** The headers of a message received, as both generations of the client give them: names and all their values. */
export type ReceivedHeaders = Iterable<readonly [string, readonly string[] | string]> & {
  readonly code: number;
  readonly description?: string;
};

// NATS: printable ASCII without the colon.
const nameRule = /^[!-9;-~]+$/;
const knownNames = new Set<string>();

/** Our headers in the form that the client's `publish` takes. */
class HeaderBlock implements EncodedHeaders {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  encode(): Uint8Array {
    return this.#bytes;
  }
}

// Blocks of frozen headers: an object that cannot change is checked and written once.
const blocks = new WeakMap<Headers, Uint8Array>();

/**
 * Our headers, and perhaps a status, as the bytes of a NATS header block. Throws `invalid` naming a header that NATS
 * cannot carry.
 */
export function encodeHeaders(headers: Headers, status?: number): Uint8Array {
  if (status !== undefined) return blockOf(headers, `NATS/1.0 ${status}\r\n`);
  const known = blocks.get(headers);
  if (known !== undefined) return known;
  const block = blockOf(headers, 'NATS/1.0\r\n');
  if (Object.isFrozen(headers)) blocks.set(headers, new Uint8Array(block));
  return block;
}

/** A header block for the client. */
export function clientHeaders(block: Uint8Array): EncodedHeaders {
  return new HeaderBlock(block);
}

function blockOf(headers: Headers, firstLine: string): Uint8Array {
  let text = firstLine;
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (!knownNames.has(name)) {
      if (!nameRule.test(name)) {
        throw new MicroError('invalid', `nats: header name ${JSON.stringify(name)} has a character that NATS refuses`);
      }
      if (knownNames.size < 1000) knownNames.add(name);
    }
    if (typeof value !== 'string' || value.includes('\n') || value.includes('\r')) {
      throw new MicroError('invalid', `nats: header "${name}" has a value that NATS refuses`);
    }
    text += `${name}: ${value}\r\n`;
  }
  return Buffer.from(`${text}\r\n`, 'utf8');
}

/** The headers of a received message; of a name that is there several times, the first value. */
export function decodeHeaders(received: ReceivedHeaders | undefined): Headers {
  const headers: Record<string, string> = {};
  if (received === undefined) return headers;
  for (const [name, values] of received) {
    const value = (typeof values === 'string' ? values : values[0]) ?? '';
    if (name === '__proto__') {
      Object.defineProperty(headers, name, { value, enumerable: true, writable: true, configurable: true });
    } else {
      headers[name] = value;
    }
  }
  return headers;
}

// By their bytes as text: the same few come again and again.
const recent = new Map<string, Headers>();
const maxRecent = 1024;

/**
 * The same for headers whose bytes are at hand: those that came lately are not read again, and are frozen, as others
 * get the same object.
 */
export function recentHeaders(block: string, message: { readonly headers?: ReceivedHeaders }): Headers {
  const known = recent.get(block);
  if (known !== undefined) return known;
  const headers = Object.freeze(decodeHeaders(message.headers));
  if (recent.size >= maxRecent) recent.clear();
  recent.set(block, headers);
  return headers;
}
