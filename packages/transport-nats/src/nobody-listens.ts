import type { NatsConnection, NatsMessage } from '@ts-micro/nats';

const status = 503;
const noBytes = new Uint8Array(0);
const options = { status };

/** True for what the NATS server answers where nobody has subscribed to the subject of a message with a reply subject. */
export function isNobodyListens(received: NatsMessage): boolean {
  return received.data.length === 0 && received.status === status;
}

/** Answers the same, where somebody has subscribed and yet nobody takes the message: the peer turns to another at once. */
export function tellNobodyListens(connection: NatsConnection, replySubject: string): void {
  if (replySubject === '') return;
  try {
    connection.publish(replySubject, noBytes, options);
  } catch {
    // Without a connection there is nobody to tell, and the peer has its deadline.
  }
}
