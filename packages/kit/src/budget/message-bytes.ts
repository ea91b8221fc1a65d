import type { Message } from '@ts-micro/core';

/** About what the objects of a message take beside its bytes. */
const objectBytes = 256;

/** Returns about how many bytes of memory a message holds: its body, its headers, and 256 more. */
export function bytesOfMessage({ headers, body }: Message): number {
  let bytes = objectBytes + body.length;
  for (const name in headers) bytes += name.length + (headers[name] as string).length;
  return bytes;
}
