import type { Headers, Message } from '@ts-micro/core';
import { contentType as knownType } from '../codec/content-type.ts';
import { metadataOf } from '../metadata.ts';

/** An event about to be published. */
export interface OutgoingEvent {
  readonly topic: string;
  /** A fresh one for each event. */
  readonly id: string;
  readonly contentType: string;
  readonly body: Uint8Array;
  /** The application's headers; names of the transport level are left out. */
  readonly metadata?: Headers | undefined;
}

const plainJson: Headers = Object.freeze({ 'Content-Type': knownType.json });

/** The message of an event for readers that know the topic: its content type, and metadata if it has any. */
export function plainEventMessage({ contentType, body, metadata }: Omit<OutgoingEvent, 'topic' | 'id'>): Message {
  // One frozen object for the usual ones, so that a broker can recognise what it has encoded before.
  if (metadata === undefined && contentType === knownType.json) return { headers: plainJson, body };
  return { headers: { ...(metadata && metadataOf(metadata)), 'Content-Type': contentType }, body };
}

/** The message of an event as Go Micro's subscribers expect it, with both spellings of the id. */
export function eventMessage(event: OutgoingEvent): Message {
  return {
    headers: {
      ...(event.metadata && metadataOf(event.metadata)),
      'Content-Type': event.contentType,
      'Micro-Topic': event.topic,
      'Micro-ID': event.id,
      'Micro-Id': event.id,
    },
    body: event.body,
  };
}
