import { MicroError } from '@ts-micro/core';
import { shownSentence } from '../error.ts';
import type { ServerEcho } from '../vendor/vendor-internals.ts';
import type { LinkSubscription } from './link-subscription.ts';
import type { Complaint } from './server-errors.ts';

/** Tells whether a complaint is that a client has too many subscriptions. */
export function isSubscriptionLimit({ operation, sentence }: Complaint): boolean {
  return operation === undefined && /maximum subscriptions|subscriptions? .*exceeded/i.test(sentence);
}

/**
 * Refuses those that the client has not found: it looks for subject and queue, and at a reload of its permissions the
 * server tells the
 * subject and its own number of the subscription.
 */
export function refuseUnfound(complaint: Complaint, subscriptions: Iterable<LinkSubscription>): void {
  const { subject, queue, sid } = complaint;
  for (const subscription of [...subscriptions]) {
    if (subscription.subject !== subject || (queue !== undefined && subscription.queue !== queue)) continue;
    const isMeant = sid !== undefined || (subscription.queue !== undefined && queue === undefined);
    if (isMeant && subscription.isHeld(sid)) subscription.refuse(refusalOf(complaint, subscription.subject));
  }
}

/**
 * Refuses the one that is over a limit, which the server does not name. It answers in order: it is one that was asked
 * for after the last
 * ping that it has answered, and before the next; the last one of these, as there was room for those before.
 */
export function refuseLimited(
  complaint: Complaint,
  subscriptions: Iterable<LinkSubscription>,
  echo: ServerEcho | undefined,
): void {
  const asked = [...subscriptions].filter(
    (subscription) => subscription.isHeld() && (echo === undefined || subscription.askedAt === echo.answered),
  );
  const last = asked.at(-1);
  last?.refuse(refusalOf(complaint, last.subject));
}

function refusalOf({ error, sentence }: Complaint, subject: string): MicroError {
  return new MicroError(error.code, `nats: subscribing to "${subject}": ${shownSentence(sentence)}`);
}
