import { type Headers, type Message, MicroError } from '@ts-micro/core';
import type { NatsMessage } from '@ts-micro/nats';
import { who } from './jetstream-broker-options.ts';

/**
 * The largest body in bytes that goes through with ordinary headers on a server with the default `max_payload` of 1
 * MiB.
 */
export const maxBodyBytes: number = 1000 * 1024;

const reserved = /^nats-/i;

/**
 * The headers to publish. Throws `invalid` for one that JetStream would obey: `Nats-Rollup` deletes what was stored
 * before.
 */
export function storedHeaders(headers: Headers, id: string | undefined): Headers | undefined {
  let isEmpty = true;
  for (const name in headers) {
    isEmpty = false;
    if (reserved.test(name)) throw new MicroError('invalid', `${who}: header name "${name}" is one of JetStream's own`);
  }
  if (id !== undefined) return { ...headers, 'Nats-Msg-Id': id };
  return isEmpty ? undefined : headers;
}

/** The message as it was published, by whatever client, without JetStream's own headers. */
export function messageOf(received: NatsMessage): Message {
  return { headers: ownHeaders(received.headers()), body: bytesOf(received.data) };
}

function ownHeaders(headers: Headers): Headers {
  for (const name in headers) {
    if (reserved.test(name)) {
      return Object.fromEntries(Object.entries(headers).filter(([other]) => !reserved.test(other)));
    }
  }
  return headers;
}

/**
 * Returns the bytes of a Buffer as a plain `Uint8Array`, whose `slice` copies, as its users expect.
 */
function bytesOf(bytes: Uint8Array): Uint8Array {
  return Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
}
