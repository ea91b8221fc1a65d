import { MicroError, type MicroErrorOptions } from '@ts-micro/core';
import type { NatsConnection, NatsMessage } from './connection/connection.ts';

/** The NATS status of "no responders". */
const status = 503;
const noBytes = new Uint8Array(0);
const options = { status };

/**
 * Returns true for what the server answers where nobody has subscribed to the subject of a message with a reply
 * subject.
 */
export function isNoResponders(received: Pick<NatsMessage, 'data' | 'status'>): boolean {
  return received.data.length === 0 && received.status === status;
}

/**
 * Returns the error that a "no responders" becomes: `unavailable`, and safe to retry unless something else was sent
 * before that may have
 * been received. `what` begins its message: `nats transport: sending to "greeter"`.
 */
export function noRespondersError(what: string, options: Omit<MicroErrorOptions, 'remote'> = {}): MicroError {
  return new MicroError('unavailable', `${what}: no responders`, { retrySafe: true, ...options });
}

/**
 * Answers a requester as the server does where nobody listens. Does nothing without a connection: the requester has its
 * deadline.
 */
export function tellNoResponders(connection: NatsConnection, replySubject: string | undefined): void {
  if (replySubject === undefined || replySubject === '') return;
  try {
    connection.publish(replySubject, noBytes, options);
  } catch {
    // There is nobody to tell.
  }
}
