import { type Logger, MicroError, type ServiceRecord } from '@ts-micro/core';
import type { NatsConnection, NatsMessage } from '@ts-micro/nats';
import type { LeaseTable } from './lease-table.ts';
import { leaseHeaders } from './peer-headers.ts';
import { decodeQuestion } from './record-decoding.ts';
import { encodeAnswer } from './record-encoding.ts';

// A record in a table never changes, so its bytes need encoding once however often it is asked for.
const encoded = new WeakMap<ServiceRecord, Uint8Array>();

/** Answers queries with what is registered here: one message for each version record. Throws `malformed`. */
export function answerQuery(
  message: NatsMessage,
  connection: NatsConnection,
  registered: LeaseTable,
  logger: Logger,
): void {
  const { reply } = message;
  const question = decodeQuestion(message.data);
  if (question === undefined || reply === undefined) return;
  const records = question.action === 'list' ? registered.records() : registered.recordsOf(question.name);
  for (const record of records) {
    const data = encoded.get(record) ?? encodeAnswer(record);
    encoded.set(record, data);
    const headers = leaseHeaders(registered.leasesOf(record).map((lease) => lease.lengthMs));
    try {
      connection.publish(reply, data, { headers });
    } catch (error) {
      logger.warn('answer not sent', {
        service: record.name,
        error: MicroError.from(error, 'internal', 'nats registry'),
      });
    }
  }
}
