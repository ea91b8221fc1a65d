import { checkHeaders, type Message, MicroError } from '@ts-micro/core';

/** Ways to spoil a message, for sockets and brokers alike. */
export const spoilt = {
  /** The body as text, which bytes that are no UTF-8 do not survive. */
  asText: ({ headers, body }: Message): Message => ({
    headers,
    body: new TextEncoder().encode(new TextDecoder().decode(body)),
  }),

  /** All of the buffer in which the body is a part. */
  wholeBuffer: ({ headers, body }: Message): Message => ({ headers, body: new Uint8Array(body.buffer) }),

  /** Changes the bytes of the very message. */
  inPlace(message: Message): Message {
    message.body.reverse();
    return message;
  },

  lowerCaseNames: (message: Message): Message => renamed(message, (name) => name.toLowerCase()),

  asciiValues: (message: Message): Message => revalued(message, (value) => value.replaceAll(/[^\0-\x7f]/g, '?')),

  trimmedValues: (message: Message): Message => revalued(message, (value) => String(value).trim()),

  withoutEmptyValues: (message: Message): Message => filtered(message, (_, value) => value !== ''),

  /** Copies headers by assignment into a plain object, which takes `__proto__` for something else. */
  assignedHeaders({ headers, body }: Message): Message {
    const copy: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers)) copy[name] = value;
    return { headers: copy, body };
  },

  /** Leaves out what breaks the rules instead of refusing it. */
  withoutBadHeaders: (message: Message): Message => filtered(message, (name, value) => isAllowed(name, value)),

  /** Takes values that are no text. */
  withTextValues: (message: Message): Message => revalued(message, String),

  /** Sends an ASCII form of names that may not be sent. */
  escapedNames: (message: Message): Message => renamed(message, (name) => encodeURIComponent(name) || 'nameless'),

  cut: ({ headers, body }: Message, size: number): Message => ({ headers, body: body.subarray(0, size) }),
};

/** Refuses where headers and body together exceed the limit of a body. */
export function assertFits({ headers, body }: Message, maxBodyBytes: number): void {
  const size = body.byteLength + JSON.stringify(headers).length;
  if (size > maxBodyBytes) throw new MicroError('too_large', `${size} bytes are more than ${maxBodyBytes}`);
}

/** Hands a message over as the very object it was, past whatever copies it on the way. */
export class SameObject {
  readonly #messages = new Map<string, Message>();
  readonly #name = 'Same-Object';

  give(message: Message): Message {
    const key = String(this.#messages.size);
    this.#messages.set(key, message);
    return { headers: { ...message.headers, [this.#name]: key }, body: message.body };
  }

  take(message: Message): Message {
    return this.#messages.get(message.headers[this.#name] ?? '') ?? message;
  }
}

function isAllowed(name: string, value: string): boolean {
  try {
    checkHeaders({ [name]: value }, 'a header');
    return true;
  } catch {
    return false;
  }
}

function filtered({ headers, body }: Message, isKept: (name: string, value: string) => boolean): Message {
  const kept = Object.entries(headers).filter(([name, value]) => isKept(name, value));
  return { headers: Object.fromEntries(kept), body };
}

function renamed({ headers, body }: Message, rename: (name: string) => string): Message {
  const entries = Object.entries(headers).map(([name, value]) => [rename(name), value] as const);
  return { headers: Object.fromEntries(entries), body };
}

function revalued({ headers, body }: Message, revalue: (value: string) => string): Message {
  const entries = Object.entries(headers).map(([name, value]) => [name, revalue(value)] as const);
  return { headers: Object.fromEntries(entries), body };
}
