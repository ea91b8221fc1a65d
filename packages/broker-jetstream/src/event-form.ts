import { randomUUID } from 'node:crypto';
import type { Headers, Message } from '@ts-micro/core';
import type { NatsMessage } from '@ts-micro/nats';
import { maxBodyBytes, messageOf, storedHeaders } from './stored-message.ts';

/**
 * How events are stored. `plain`: NATS messages, bodies as they are. `natsjs`: as Go Micro's `events/natsjs` has them,
 * JSON in a stream for each topic, so that an `events.Stream` of Go shares it.
 */
export type EventDialect = 'plain' | 'natsjs';

/** A message ready to be stored; may share its bytes. */
interface StoredForm {
  readonly data: Uint8Array;
  readonly headers: Headers | undefined;
}

/** What a dialect makes of messages. */
export interface EventForm {
  /** The largest body in bytes that goes through with ordinary headers. */
  readonly maxBodyBytes: number;
  /** Throws `invalid` for a header that cannot be stored. */
  encode(topic: string, message: Message, id: string | undefined): StoredForm;
  /** Understands a plain message as well, of whatever client. */
  decode(received: NatsMessage): Message;
}

/** Go Micro's `events.Event`, as Go's `encoding/json` writes it. */
interface GoEvent {
  readonly ID: string;
  readonly Topic: string;
  /** RFC 3339. */
  readonly Timestamp: string;
  readonly Metadata: Readonly<Record<string, string>> | null;
  /** Base64 with padding. */
  readonly Payload: string | null;
}

const openingBrace = 0x7b;
const base64Rule = /^[A-Za-z0-9+/\r\n]*={0,2}$/;
const decoder = new TextDecoder('utf-8', { fatal: true });

const plain: EventForm = {
  maxBodyBytes,
  encode: (_topic, { headers, body }, id) => ({ data: body, headers: storedHeaders(headers, id) }),
  decode: messageOf,
};

const natsjs: EventForm = {
  // Base64 takes a third more.
  maxBodyBytes: 700 * 1024,
  encode(topic, { headers, body }, id) {
    const { buffer, byteOffset, length } = body;
    const event: GoEvent = {
      ID: id ?? randomUUID(),
      Topic: topic,
      Timestamp: new Date().toISOString(),
      Metadata: headers,
      Payload: Buffer.from(buffer, byteOffset, length).toString('base64'),
    };
    return { data: Buffer.from(JSON.stringify(event)), headers: storedHeaders({}, id) };
  },
  decode(received) {
    const event = received.data[0] === openingBrace ? goEventOf(received.data) : undefined;
    if (event === undefined) return messageOf(received);
    return { headers: event.Metadata ?? {}, body: new Uint8Array(Buffer.from(event.Payload ?? '', 'base64')) };
  },
};

const forms: Readonly<Record<EventDialect, EventForm>> = { plain, natsjs };

export function formOf(dialect: EventDialect): EventForm {
  return forms[dialect];
}

function goEventOf(data: Uint8Array): GoEvent | undefined {
  let value: Partial<GoEvent>;
  try {
    value = JSON.parse(decoder.decode(data));
  } catch {
    return undefined;
  }
  const { ID, Topic, Metadata, Payload = null } = value;
  const isEvent = typeof ID === 'string' && typeof Topic === 'string' && isTexts(Metadata ?? {});
  if (!isEvent || !(Payload === null || (typeof Payload === 'string' && base64Rule.test(Payload)))) return undefined;
  return value as GoEvent;
}

function isTexts(value: object): boolean {
  return (
    !Array.isArray(value) && typeof value === 'object' && Object.values(value).every((each) => typeof each === 'string')
  );
}
