import type { Message } from '@ts-micro/core';
import { decodeEnvelope, encodeEnvelope, type NatsConnection, type NatsMessage } from '@ts-micro/nats';

/** How a message stands on the wire. */
export interface Dialect {
  /** Publishes a message. Throws `too_large`, `unavailable` where there is no connection, `closed`. */
  write(connection: NatsConnection, subject: string, message: Message, reply: ReplySubject | undefined): void;
  /** The message that came. Throws `malformed`. */
  read(received: NatsMessage): Message;
}

/** Where an answer goes, in the form that publishing takes, so that a socket makes it once. */
export interface ReplySubject {
  readonly reply: string;
}

/** Go Micro's: headers and body in one JSON envelope, no NATS headers. */
const goDialect: Dialect = {
  write(connection, subject, message, reply) {
    connection.publish(subject, encodeEnvelope(message), reply);
  },
  read(received) {
    return decodeEnvelope(received.data);
  },
};

/** What to speak to a node with this metadata. */
export function dialectToward(_metadata: Readonly<Record<string, string>> | undefined): Dialect {
  return goDialect;
}

/** What a message that came in is written in. */
export function dialectOf(_received: NatsMessage): Dialect {
  return goDialect;
}
