import { type NatsConnection, tellNoResponders } from '@ts-micro/nats';

/**
 * Begins the reply subjects that the server makes up where a request crosses from one account to another: a new one for
 * each message.
 */
const importedReply = '_R_.';

/**
 * The status with which a listener answers what continues a socket across accounts, "not implemented": each message
 * there has another reply subject, so one cannot tell which socket it belongs to.
 */
export const importedStatus = 501;

/** Whether a message came through an import of another account. */
function isImported(replySubject: string): boolean {
  return replySubject.startsWith(importedReply);
}

const noBytes = new Uint8Array(0);
const imported = { status: importedStatus };

/**
 * Answers as the server does where nobody listens; a dialler of another account is told that a socket cannot go on
 * across accounts, after `onImported`.
 */
export function refuseSocket(connection: NatsConnection, remote: string, onImported: () => void): void {
  if (!isImported(remote)) {
    tellNoResponders(connection, remote);
    return;
  }
  onImported();
  try {
    connection.publish(remote, noBytes, imported);
  } catch {
    // Without a connection there is nobody to tell.
  }
}
