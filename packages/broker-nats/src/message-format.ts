import type { Message } from '@ts-micro/core';
import { encodeEnvelope, type NatsConnection, type NatsMessage, tryDecodeEnvelope } from '@ts-micro/nats';

/**
 * How messages are published. `envelope` is Go Micro's: JSON of headers and base64. `native` is a plain NATS message, headers as NATS
 * headers and the body as it is, for any NATS client to read; Go Micro does not understand it.
 */
export type BrokerFormat = 'envelope' | 'native';

/** What publishing a message takes; shares no bytes with it. */
export interface Outgoing {
  readonly data: Uint8Array;
  readonly options: Parameters<NatsConnection['publish']>[2];
}

// Tells that a native body that looks like an envelope is none.
const formatHeader = 'Ts-Micro-Format';
const openingBrace = 0x7b;

export function encodeMessage(message: Message, format: BrokerFormat): Outgoing {
  if (format === 'envelope') return { data: encodeEnvelope(message), options: undefined };
  const { headers, body } = message;
  const isAmbiguous = body[0] === openingBrace;
  const hasHeaders = isAmbiguous || Object.keys(headers).length > 0;
  return {
    data: new Uint8Array(body),
    options: hasHeaders ? { headers: isAmbiguous ? { ...headers, [formatHeader]: 'native' } : headers } : undefined,
  };
}

/** Understands both formats and a plain message of any NATS client. What a server or proxy adds in NATS headers makes an envelope no less one. */
export function decodeMessage(message: NatsMessage): Message {
  const { data } = message;
  if (data[0] !== openingBrace) return { headers: message.headers(), body: bytesOf(data) };
  const { [formatHeader]: format, ...headers } = message.headers();
  const envelope = format === undefined ? tryDecodeEnvelope(data) : undefined;
  return { headers: envelope?.headers ?? headers, body: bytesOf(envelope?.body ?? data) };
}

/** Of a Buffer the same bytes as a plain array: its `slice` copies, as everybody expects who is given a `Uint8Array`. */
function bytesOf(bytes: Uint8Array): Uint8Array {
  return Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
}
