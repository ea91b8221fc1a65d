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
export function isImported(replySubject: string): boolean {
  return replySubject.startsWith(importedReply);
}
