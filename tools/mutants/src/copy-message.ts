import type { Message } from '@ts-micro/core';

/** A deep copy, as a backend that keeps its promise makes it. */
export function copyMessage(message: Message): Message {
  return { headers: { ...message.headers }, body: new Uint8Array(message.body) };
}
