import type { Headers } from '@ts-micro/core';
import { latin1Of } from '@ts-micro/kit';

/** The value of one header, where it stands in the bytes of a head. */
interface Value {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Of so many headers of a head the values may differ. */
const mostVarying = 8;

/**
 * A head that was read: `{"Header":{...}` of an envelope. The next one is mostly the same but for the values of a few
 * headers, such as an id, and is then read without a JSON parser.
 */
export class KnownHead {
  readonly #bytes: Buffer;
  readonly #headers: Headers;
  readonly #varying: readonly Value[];

  /** Freezes `headers`, as whoever reads the same head gets the same object. */
  constructor(head: Uint8Array, headers: Headers, varying: readonly Value[] = []) {
    this.#bytes = Buffer.from(head);
    this.#headers = Object.freeze(headers);
    this.#varying = varying;
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Reads the head at the begin of `bytes`, which is as long as this one; `undefined` where it is another one. */
  read(bytes: Uint8Array): Headers | undefined {
    let from = 0;
    for (const { start, end } of this.#varying) {
      if (!this.#isSame(bytes, from, start)) return undefined;
      from = end;
    }
    if (!this.#isSame(bytes, from, this.length)) return undefined;
    if (this.#varying.length === 0) return this.#headers;
    const headers: Record<string, string> = { ...this.#headers };
    for (const { name, start, end } of this.#varying) {
      if (!isPlain(bytes, start, end)) return undefined;
      headers[name] = latin1Of(bytes, start, end);
    }
    return headers;
  }

  /** Returns what is known by one more head, which `read` did not know and a JSON parser read. */
  next(head: Uint8Array, headers: Headers): KnownHead {
    if (head.length !== this.length) return new KnownHead(head, headers);
    const varying = valuesOf(head, headers).filter(
      ({ name, start, end }) => this.#varying.some((value) => value.name === name) || !this.#isSame(head, start, end),
    );
    const next = new KnownHead(head, headers, varying.length > mostVarying ? [] : varying);
    // What else differs makes it another head, of which nothing is known yet.
    return next.read(this.#bytes) === undefined ? new KnownHead(head, headers) : next;
  }

  #isSame(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#bytes.compare(bytes, start, end, start, end) === 0;
  }
}

/** Finds the values that stand in a head as they are, in the order of the bytes. */
function valuesOf(head: Uint8Array, headers: Headers): Value[] {
  const text = latin1Of(head, 0, head.length);
  // Without escapes each quote begins or ends a text.
  if (text.includes('\\')) return [];
  const values: Value[] = [];
  for (const name in headers) {
    // Such a name follows a quote only where a text begins.
    if (!/^[\w-]+$/.test(name) || name === '__proto__') continue;
    const quoted = `"${name}"`;
    const at = text.indexOf(quoted);
    // Of a name that is there twice the last value counts.
    if (text.indexOf(quoted, at + 1) >= 0) continue;
    const start = at + quoted.length + 2;
    const end = start + (headers[name] as string).length;
    const isThere = text.slice(at, end + 1) === `${quoted}:"${headers[name]}"`;
    if (isThere && isPlain(head, start, end)) values.push({ name, start, end });
  }
  return values.sort((a, b) => a.start - b.start);
}

/** Tells whether a JSON text of these bytes is these bytes: printable ASCII without quotes and escapes. */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number;
    if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return false;
  }
  return true;
}
