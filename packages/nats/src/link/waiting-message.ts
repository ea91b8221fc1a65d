import type { Headers } from '@ts-micro/core';
import { detachedBytes } from '@ts-micro/kit';
import type { NatsMessage } from '../connection/connection.ts';
import { LinkMessage } from './link-message.ts';

/** Returns the bytes of a message that came: data and headers. */
export function sizeOfMessage(message: NatsMessage): number {
  return message instanceof LinkMessage || message instanceof DetachedMessage ? message.size : message.data.length;
}

/**
 * Returns the same message without the memory that it shares with whatever was read from the server together with it:
 * a few bytes that are kept for long would else keep 64 KiB. A large one is returned as it is.
 */
export function detachMessage(message: NatsMessage): NatsMessage {
  const { data } = message;
  return data.byteLength * 2 < data.buffer.byteLength ? new DetachedMessage(message) : message;
}

/** Returns the same message with bytes of its own, for one more reader: none changes what another one gets. */
export function copyMessage(message: NatsMessage): NatsMessage {
  return new DetachedMessage(message);
}

class DetachedMessage implements NatsMessage {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly data: Uint8Array;
  readonly size: number;
  readonly status: number;
  readonly #headers: Headers;

  constructor(message: NatsMessage) {
    this.subject = message.subject;
    this.reply = message.reply;
    this.data = detachedBytes(message.data);
    this.size = sizeOfMessage(message);
    this.status = message.status;
    this.#headers = message.headers();
  }

  headers(): Headers {
    return this.#headers;
  }
}
