import type { Message } from '@ts-micro/core';
import { encodeEnvelope, type NatsConnection, type NatsMessage, tryDecodeEnvelope } from '@ts-micro/nats';

/**
 * How messages are published. `go` is Go Micro's envelope: JSON of headers and base64. `native` is a plain NATS
 * message, headers as NATS
 * headers and the body as it is, for any NATS client to read; Go Micro does not understand it.
 */
export type BrokerDialect = 'go' | 'native';

/** A message ready to be published; may share its bytes. */
export interface Outgoing {
  readonly data: Uint8Array;
  readonly options: Parameters<NatsConnection['publish']>[2];
}

// Tells that a native body that looks like an envelope is none.
const formatHeader = 'Ts-Micro-Format';
const openingBrace = 0x7b;
const space = 0x20;
const quote = 0x22;
/** Of `Header` and of `Body`, and the backslash of an escaped one. */
const firstLetters = new Set([0x48, 0x42, 0x5c]);
const headerField = '"Header"';

export function encodeMessage(message: Message, dialect: BrokerDialect): Outgoing {
  if (dialect === 'go') return { data: encodeEnvelope(message), options: undefined };
  const { headers, body } = message;
  if (mayBeEnvelope(body)) return { data: body, options: { headers: { ...headers, [formatHeader]: 'native' } } };
  for (const _name in headers) return { data: body, options: { headers } };
  return { data: body, options: undefined };
}

/**
 * Understands both dialects and a plain message of any NATS client. What a server or proxy adds in NATS headers makes
 * an envelope no less one.
 */
export function decodeMessage(message: NatsMessage): Message {
  const { data } = message;
  const received = message.headers();
  if (received[formatHeader] === undefined) {
    const envelope = mayBeEnvelope(data) ? tryDecodeEnvelope(data) : undefined;
    return { headers: envelope?.headers ?? received, body: bytesOf(envelope?.body ?? data) };
  }
  const { [formatHeader]: _format, ...headers } = received;
  return { headers, body: bytesOf(data) };
}

/**
 * As quick as it is, it errs for others' objects with such a text in them, and never for an envelope: an object whose
 * first field is `Header` or `Body`.
 */
function mayBeEnvelope(bytes: Uint8Array): boolean {
  if (bytes[0] !== openingBrace) return false;
  let start = 1;
  while ((bytes[start] as number) <= space) start++;
  // The usual end for other objects, as a search through all of their bytes costs much more.
  if (bytes[start] !== quote || !firstLetters.has(bytes[start + 1] as number)) return false;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(headerField);
}

/**
 * Returns the bytes of a Buffer as a plain `Uint8Array`, whose `slice` copies, as its users expect.
 */
function bytesOf(bytes: Uint8Array): Uint8Array {
  return Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
}
