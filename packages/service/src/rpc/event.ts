import type { Headers, Message } from '@ts-micro/core';
import { metadataOf } from './metadata.ts';

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

/** The message of an event, with both spellings of the id. */
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
