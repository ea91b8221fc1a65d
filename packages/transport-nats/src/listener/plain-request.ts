import type { Message } from '@ts-micro/core';
import { encodeEnvelope, type NatsConnection } from '@ts-micro/nats';

const words = "this address takes Go Micro's envelope or frames of ts-micro, and no plain messages";
// Of the NATS services protocol, so that its tools show them.
const headers = Object.freeze({ 'Nats-Service-Error': words, 'Nats-Service-Error-Code': '415' });
// Of Go Micro's envelope, for who reads the body only.
const error = JSON.stringify({ id: 'ts-micro.transport', code: 415, detail: words, status: 'Unsupported Media Type' });
const body = encodeEnvelope({ headers: { 'Micro-Error': error }, body: new Uint8Array(0) });

const mostBytes = 64 * 1024;
const fields = /"(header|body)"\s*:/i;

/**
 * Whether what was read as a message is no envelope: it has not a single header and no body, nor the two fields of one.
 */
export function isPlain({ headers, body }: Message, data: Uint8Array): boolean {
  if (body.length > 0) return false;
  for (const _ in headers) return false;
  const text = Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, mostBytes)).toString('latin1');
  return !fields.test(text);
}

/** Answers a plain request with an error that tools of NATS, peers of Go Micro and people understand. Never throws. */
export function refusePlain(connection: NatsConnection, replySubject: string): void {
  if (replySubject === '') return;
  try {
    connection.publish(replySubject, body, { headers });
  } catch {
    // Without a connection there is nobody to tell.
  }
}
