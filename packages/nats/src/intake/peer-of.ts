/** The length of what NATS clients make unique names of, and of the part that all names of one process share. */
const uniqueLetters = 22;
const sharedLetters = 12;

/**
 * Returns what the reply subjects of one dialling process have in common: all but the last token. Where that is only
 * the usual prefix, as in `_INBOX.<unique>` of Go Micro, a part of the unique name tells processes apart.
 */
export function peerOf(replySubject: string): string {
  const dot = replySubject.lastIndexOf('.');
  const isUnique = replySubject.length - dot - 1 === uniqueLetters && replySubject.indexOf('.') === dot;
  return replySubject.slice(0, isUnique ? dot + 1 + sharedLetters : Math.max(0, dot));
}
