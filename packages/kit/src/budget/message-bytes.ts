import type { Message } from '@ts-micro/core';

/** About what the objects of a message take beside its bytes. */
const objectBytes = 256;

/** Returns about how many bytes of memory a message holds: its body, its headers, and 256 more. */
export function bytesOfMessage({ headers, body }: Message): number {
  let bytes = objectBytes + body.length;
  for (const name in headers) bytes += name.length + (headers[name] as string).length;
  return bytes;
}

/** Small copies share memory of this size: an array buffer for each would cost several times as much as the copy. */
const slabBytes = 8192;
let slab = new Uint8Array(slabBytes);
let slabUsed = 0;

/** Returns a copy that keeps no other memory; small ones share 8 KiB. */
export function detachedBytes(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length > slabBytes / 4) return new Uint8Array(bytes);
  if (slabUsed + length > slabBytes) {
    slab = new Uint8Array(slabBytes);
    slabUsed = 0;
  }
  slab.set(bytes, slabUsed);
  const copy = new Uint8Array(slab.buffer, slabUsed, length);
  slabUsed += length;
  return copy;
}

/**
 * Returns the same message with a body of its own where that is a small part of other memory, as of all that was read
 * at once: a few bytes that wait for long would else keep 64 KiB. Small ones share 8 KiB.
 */
export function detachedMessage(message: Message): Message {
  const { headers, body } = message;
  return body.length > 0 && body.length * 2 < body.buffer.byteLength ? { headers, body: detachedBytes(body) } : message;
}

/** Returns the memory that the body of a message is a part of. */
export function memoryOfMessage({ body }: Message): object {
  return body.buffer;
}
