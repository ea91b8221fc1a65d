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
  try {
    checkEach(headers, who);
  } catch (error) {
    // A getter or a proxy that throws.
    throw MicroError.from(error, 'invalid', `${who}: the headers cannot be read`);
  }
  if (Object.isFrozen(headers)) checkedHeaders.add(headers);
}

function checkEach(headers: Headers, who: string): void {
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
}

/**
 * {@link checkHeaders}, and throws `invalid` where the body is no `Uint8Array`, one of another realm included, and
 * `too_large` for one of more than `maxBodyBytes`.
 */
export function checkMessage(message: Message, maxBodyBytes: number, who: string): void {
  const { headers, body } = partsOf(message, who);
  checkHeaders(headers, who);
  if (!ArrayBuffer.isView(body) || Object.prototype.toString.call(body) !== '[object Uint8Array]')
    throw refusal('invalid', who, 'the body is no Uint8Array');
  if (body.byteLength > maxBodyBytes)
    throw refusal('too_large', who, 'a body of', body.byteLength, 'bytes is more than', maxBodyBytes);
}

function partsOf(message: Message, who: string): Message {
  try {
    return { headers: message?.headers, body: message?.body };
  } catch (error) {
    throw MicroError.from(error, 'invalid', `${who}: the message cannot be read`);
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}

function refusal(code: 'invalid' | 'too_large', who: string, ...words: readonly unknown[]): MicroError {
  return new MicroError(code, `${who}: ${words.join(' ')}`);
}
