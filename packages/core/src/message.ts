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
 * Throws `invalid` naming the first header that breaks the rules of {@link Headers} or cannot be read, or where that is
 * no object of names and values, as a `Map` is none; `who` begins the message.
 */
export function checkHeaders(headers: Headers, who: string): void {
  if (checkedHeaders.has(headers)) return;
  const fault = faultOf(headers);
  if (fault !== undefined) throw new MicroError('invalid', `${who}: ${fault}`);
}

/**
 * {@link checkHeaders}, and throws `invalid` where the body is no `Uint8Array`, one of another realm included, or
 * cannot be read, and `too_large` for one of more than `maxBodyBytes`.
 */
export function checkMessage(message: Message, maxBodyBytes: number, who: string): void {
  let body: unknown;
  try {
    checkHeaders(message?.headers, who);
    body = message.body;
  } catch (error) {
    throw MicroError.from(error, 'invalid', `${who}: the message cannot be read`);
  }
  if (!ArrayBuffer.isView(body) || Object.prototype.toString.call(body) !== '[object Uint8Array]')
    throw new MicroError('invalid', `${who}: the body is no Uint8Array`);
  if (body.byteLength > maxBodyBytes)
    throw new MicroError('too_large', `${who}: a body of ${body.byteLength} bytes is more than ${maxBodyBytes}`);
}

/** Says what breaks a rule; `undefined` where nothing does. Never throws, as a getter or a proxy may. */
function faultOf(headers: Headers): string | undefined {
  let header: string | undefined;
  try {
    // What is iterated holds its entries elsewhere, and would look empty.
    if (Object(headers) !== headers || Symbol.iterator in headers)
      return 'the headers are no object of names and values';
    for (const name of Object.keys(headers)) {
      header = name;
      if (!knownNames.has(name) && !nameRule.test(name)) return `header name ${quote(name)} is not a token`;
      if (knownNames.size < 1000) knownNames.add(name);
      const value: unknown = headers[name];
      if (typeof value !== 'string') return `header ${quote(name)} has a value of type ${typeof value}`;
      if (valueBreaks.test(value)) return `header ${quote(name)} has a value with CR, LF, NUL or outer white space`;
    }
    header = undefined;
    if (Object.isFrozen(headers)) checkedHeaders.add(headers);
    return undefined;
  } catch (error) {
    const what = header === undefined ? 'the headers' : `header ${quote(header)}`;
    return `${what} cannot be read: ${MicroError.textOf(error)}`;
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
