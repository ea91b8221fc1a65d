import { type AbortOptions, type Logger, MicroError } from '@ts-micro/core';
import { bounded, type LeasedRecord, type ReplyInbox, throwIfAborted } from '@ts-micro/kit';
import type { NatsConnection, NatsMessage } from '@ts-micro/nats';
import { deniedError, publishToAll } from '../wire/peer-headers.ts';
import { Collection } from './collection.ts';

const answerWithinMs = 1000;

export interface QueryOptions extends AbortOptions {
  readonly subjects: readonly string[];
  /** Only answers about this service count. @default all */
  readonly name?: string | undefined;
  /** Ends the query this long after the last answer. */
  readonly quietMs: number;
  /** Ends the query in any case. */
  readonly timeoutMs: number;
  /** Ends the query once one version has this many nodes. @default none */
  readonly quorum?: number | undefined;
  /** The most nodes, and bytes of answers, that are taken. */
  readonly maxNodes: number;
  readonly maxBytes: number;
  /** The longest answer that is read. */
  readonly maxRecordBytes: number;
  readonly logger: Logger;
}

/**
 * Asks whoever is there. Resolves with an empty list where nobody answers. Rejects where that was not possible:
 * `unavailable`, or `unauthorized` where the server refuses the question.
 *
 * Nobody knows how many will answer, so it is complete as soon as it seems so: see {@link Collection}.
 */
export async function query(
  connection: NatsConnection,
  inbox: ReplyInbox<NatsMessage>,
  question: Uint8Array,
  options: QueryOptions,
): Promise<LeasedRecord[]> {
  throwIfAborted(options.signal, 'nats registry: query');
  const collection = new Collection(options);
  const reply = inbox.open(collection);
  const ignoreDenials = connection.onPublishDenied((subject, error) => {
    if (options.subjects.includes(subject)) collection.onInboxEnd(deniedError(subject, error));
  });
  try {
    publishToAll(connection, options.subjects, question, { reply });
    const answers = await collection.answers;
    if (!collection.hasHeard) await assertAnswering(connection, options);
    return answers;
  } finally {
    ignoreDenials();
    inbox.close(reply);
    collection.stop();
  }
}

/** Rejects with `unavailable` where the server does not answer either: then silence says nothing of the others. */
async function assertAnswering(connection: NatsConnection, options: QueryOptions): Promise<void> {
  const what = 'nats registry: asking the server';
  try {
    await bounded(connection.flush(options), options, answerWithinMs, what);
  } catch (cause) {
    throwIfAborted(options.signal, 'nats registry: query');
    throw MicroError.is(cause, 'timeout')
      ? new MicroError('unavailable', 'nats registry: the server does not answer', { cause, retrySafe: true })
      : cause;
  }
}
