import type { Message } from '@ts-micro/core';

/** A deep copy with its own headers and bytes, so that neither side sees what the other changes later. */
export function copyMessage(message: Message): Message {
  // Not slice(), which of a Buffer gives a view of the same bytes.
  return { headers: { ...message.headers }, body: new Uint8Array(message.body) };
}
