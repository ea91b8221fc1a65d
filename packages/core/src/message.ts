import { MicroError } from './error.ts';

/**
 * Names to values. A name is an HTTP token (letters, digits and ``!#$%&'*+-.^_`|~``), kept case-sensitive; a value has
 * no CR, LF, NUL or outer white space. Both rules bind senders on every backend; what a Go peer sent is accepted as it
 * is.
 */
export type Headers = Readonly<Record<string, string>>;

/** Text headers and a body of bytes, as sockets and brokers carry them. */
export interface Message {
  readonly headers: Headers;
  readonly body: Uint8Array;
}

const nameRule = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const valueBreaks = /[\r\n\0]|^\s|\s$/;

// A name checked once is known good; bounded, so that made-up names cannot grow it.
const knownNames = new Set<string>();

// Frozen headers cannot change after they were checked.
const checkedHeaders = new WeakSet<Headers>();

/**
 * Throws `invalid` naming the first header that breaks the rules of {@link Headers}, or where that is no object of
 * names and values, as a `Map` is none; `who` begins the message.
 */
export function checkHeaders(headers: Headers, who: string): void {
  if (checkedHeaders.has(headers)) return;
  // What is iterated holds its entries elsewhere, and would look empty.
  if (Object(headers) !== headers || Symbol.iterator in headers)
    throw refusal('invalid', who, 'the headers are no object of names and values');
  for (const name of Object.keys(headers)) {
    if (!knownNames.has(name) && !nameRule.test(name))
      throw refusal('invalid', who, 'header name', quote(name), 'is not a token');
    if (knownNames.size < 1000) knownNames.add(name);
    const value: unknown = headers[name];
    if (typeof value === 'string' && !valueBreaks.test(value)) continue;
    const fault = typeof value === 'string' ? 'with CR, LF, NUL or outer white space' : 'of type '.concat(typeof value);
    throw refusal('invalid', who, 'header', quote(name), 'has a value', fault);
  }
  if (Object.isFrozen(headers)) checkedHeaders.add(headers);
}

/**
 * {@link checkHeaders}, and throws `invalid` where the body is no `Uint8Array`, one of another realm included, and
 * `too_large` for one of more than `maxBodyBytes`.
 */
export function checkMessage(message: Message, maxBodyBytes: number, who: string): void {
  checkHeaders(message?.headers, who);
  if (!ArrayBuffer.isView(message.body) || Object.prototype.toString.call(message.body) !== '[object Uint8Array]')
    throw refusal('invalid', who, 'the body is no Uint8Array');
  if (message.body.byteLength > maxBodyBytes)
    throw refusal('too_large', who, 'a body of', message.body.byteLength, 'bytes is more than', maxBodyBytes);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}

function refusal(code: 'invalid' | 'too_large', who: string, ...words: readonly unknown[]): MicroError {
  return new MicroError(code, `${who}: ${words.join(' ')}`);
}
