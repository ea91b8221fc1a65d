import type { Message } from '@ts-micro/core';

// What goes through a channel: the headers as JSON, which has no line break, a line break, and the body as it is.

/** The bytes of a message. Headers go as pairs, because `__proto__` is a name like any other. */
export function encode({ headers, body }: Message): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(Object.entries(headers))}\n`), body]);
}

/** The message in these bytes, which shares nothing with them. Throws where there is none. */
export function decode(bytes: Buffer): Message {
  const end = bytes.indexOf('\n');
  return {
    headers: Object.fromEntries(JSON.parse(bytes.toString('utf8', 0, end))),
    body: Uint8Array.from(bytes.subarray(end + 1)),
  };
}
