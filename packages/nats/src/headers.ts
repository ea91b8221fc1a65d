import { type Headers, MicroError } from '@ts-micro/core';

/** What both generations of the client ask of the headers of a message to publish. */
export interface EncodedHeaders {
  encode(): Uint8Array;
}

/** What both generations hand out as the headers of a message received: names and all their values. */
export type ReceivedHeaders = Iterable<readonly [string, readonly string[] | string]> & { readonly code: number };

// NATS: printable ASCII without the colon.
const nameRule = /^[!-9;-~]+$/;
const knownNames = new Set<string>();

class HeaderBlock implements EncodedHeaders {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  encode(): Uint8Array {
    return this.#bytes;
  }
}

/** Our headers, and perhaps a status, as the bytes of a NATS header block. Throws `invalid` naming a header that NATS cannot carry. */
export function encodeHeaders(
  headers: Headers,
  status?: number,
): { readonly block: EncodedHeaders; readonly length: number } {
  let text = status === undefined ? 'NATS/1.0\r\n' : `NATS/1.0 ${status}\r\n`;
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
  const bytes = Buffer.from(`${text}\r\n`, 'utf8');
  return { block: new HeaderBlock(bytes), length: bytes.length };
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
