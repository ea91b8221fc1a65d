import { MicroError } from '@ts-micro/core';
import { ReplyInbox } from '@ts-micro/kit';
import { mapNatsError } from '../error.ts';
import { SubjectTail } from '../link/subject-tail.ts';
import type { NatsConnection, NatsMessage } from './connection.ts';

export interface NatsReplyInboxOptions {
  readonly connection: NatsConnection;
  /** Begins the messages of its errors: `nats transport`. */
  readonly what: string;
  /** Begins every reply subject. @default the connection's `inboxPrefix` */
  readonly prefix?: string | undefined;
  /** Gets what comes to a reply subject that is closed, or never was. @default ignored */
  readonly onUnknown?: ((message: NatsMessage) => void) | undefined;
}

/**
 * Returns the reply subjects of one owner on one connection; they end with the connection. Subscribes at the first use.
 */
export function natsReplyInbox({
  connection,
  what,
  prefix = connection.inboxPrefix,
  onUnknown,
}: NatsReplyInboxOptions): ReplyInbox<NatsMessage> {
  const inbox = new ReplyInbox<NatsMessage>({
    what,
    prefix,
    subscribe: (base, { onReplyTo, onEnd }) => {
      const tail = new SubjectTail(base);
      return connection.subscribe(`${base}*`, {
        onMessage: (message) => onReplyTo(tail.of(message), message),
        onError: (error) => onEnd(mapNatsError(error, what)),
      });
    },
    ...(onUnknown && { onUnknown }),
  });
  void connection.closed.then((cause) => {
    inbox.endAll(cause ?? new MicroError('closed', `${what}: the connection was closed`));
    inbox.stop();
  });
  return inbox;
}
