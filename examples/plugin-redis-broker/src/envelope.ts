import type { Message } from '@ts-micro/core';

/** What goes through a channel: the headers as JSON, which holds no line break; a line break; the body as it is. */
export function encode({ headers, body }: Message): Buffer {
  // As pairs, because `__proto__` is a header's name like any other.
  return Buffer.concat([Buffer.from(`${JSON.stringify(Object.entries(headers))}\n`), body]);
}

/** A message that shares nothing with these bytes. Throws where they are none. */
export function decode(bytes: Buffer): Message {
  const end = bytes.indexOf('\n');
  const headers = Object.fromEntries(JSON.parse(bytes.toString('utf8', 0, end)));
  return { headers, body: Uint8Array.from(bytes.subarray(end + 1)) };
}
