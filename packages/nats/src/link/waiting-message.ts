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
  return data.byteLength * 2 < data.buffer.byteLength ? copiesOf(message)() : message;
}

/**
 * Returns what makes copies of a message, each with bytes of its own, for its further readers: none changes what
 * another one gets. What they share is read once, and frozen.
 */
export function copiesOf(message: NatsMessage): () => NatsMessage {
  const { data } = message;
  const shared: SharedParts = {
    subject: message.subject,
    reply: message.reply,
    size: sizeOfMessage(message),
    status: message.status,
    headers: Object.freeze(message.headers()),
  };
  return () => new DetachedMessage(shared, detachedBytes(data));
}

/** All of a message but its data. */
interface SharedParts {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly size: number;
  readonly status: number;
  readonly headers: Headers;
}

class DetachedMessage implements NatsMessage {
  readonly #shared: SharedParts;
  readonly data: Uint8Array;

  constructor(shared: SharedParts, data: Uint8Array) {
    this.#shared = shared;
    this.data = data;
  }

  get subject(): string {
    return this.#shared.subject;
  }

  get reply(): string | undefined {
    return this.#shared.reply;
  }

  get size(): number {
    return this.#shared.size;
  }

  get status(): number {
    return this.#shared.status;
  }

  headers(): Headers {
    return this.#shared.headers;
  }
}
