import { type Message, MicroError } from '@ts-micro/core';
import { isTransferred } from '@ts-micro/kit';

/** A deep copy with its own headers and bytes, so that neither side sees what the other changes later. */
export function copyMessage(message: Message): Message {
  if (isTransferred(message.body)) throw new MicroError('invalid', 'memory: the buffer of the body was transferred');
  // Not slice(), which of a Buffer gives a view of the same bytes.
  return { headers: { ...message.headers }, body: new Uint8Array(message.body) };
}
