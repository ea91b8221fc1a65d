const dollar = 36;

/**
 * Returns whether what comes with this reply subject may be answered. Whoever asks chooses where the answer goes, so it
 * goes nowhere that the server listens itself: `$JS.API`, `$SYS` and their like.
 */
export function isAnswerable(replySubject: string): boolean {
  return replySubject.charCodeAt(0) !== dollar;
}
