import type { Message as Delivery } from '@platformatic/kafka';
import type { Message } from '@ts-micro/core';
import { messageFromJson, messageToJson } from '@ts-micro/kit';

const nativeMark = 'Ts-Micro-Dialect';

/** Room for a message of 1 MiB, which Kafka takes by default, with its headers. */
export const maxBodyBytes: Readonly<Record<'go' | 'native', number>> = { go: 700 * 1024, native: 960 * 1024 };

export interface Encoded {
  readonly value: Buffer;
  readonly headers?: Map<Buffer, Buffer>;
}

/** Returns the value of a message, and its Kafka headers. */
export function encode(message: Message, dialect: 'go' | 'native'): Encoded {
  if (dialect === 'go') return { value: Buffer.from(messageToJson(message)) };
  const pairs = [...Object.entries(message.headers), [nativeMark, '1'] as const];
  const headers = new Map(pairs.map(([name, value]) => [Buffer.from(name), Buffer.from(value)]));
  return { value: Buffer.from(message.body), headers };
}

/** Returns the message of what came in: native, Go Micro's, or of any other Kafka client. */
export function decode({ value, headers }: Delivery): Message {
  const pairs = Array.from(headers ?? [], ([name, text]) => [String(name), String(text ?? '')] as const);
  const isNative = pairs.some(([name]) => name === nativeMark);
  // A key that was deleted has no value.
  const bytes: Buffer = value ?? Buffer.alloc(0);
  const own = {
    headers: Object.fromEntries(pairs.filter(([name]) => name !== nativeMark)),
    body: Uint8Array.from(bytes),
  };
  return (isNative ? undefined : messageFromJson(bytes)) ?? own;
}
