import type { Headers, MicroError } from '@ts-micro/core';
import type { Codec } from './codec/codec.ts';

/** A request about to be sent: the opener or a later message of a stream, or a unary one. */
export interface OutgoingRequest {
  readonly service: string;
  readonly endpoint: string;
  /** Unique on its socket; of all messages of a stream the same. */
  readonly id: string;
  /** As it goes on the wire: see `codecForNode`. */
  readonly contentType: string;
  /** The content type asked for, where the wire names a legacy wrapper. @default contentType */
  readonly accept?: string | undefined;
  readonly body: Uint8Array;
  readonly isStream?: boolean | undefined;
  /** Nothing else is asked on its socket, which gives notice of a close. @default false */
  readonly isLast?: boolean | undefined;
  /** The time that remains for the answer. */
  readonly timeoutMs?: number | undefined;
  /** The application's headers; names of the transport level are left out. */
  readonly metadata?: Headers | undefined;
}

/** The part that all messages of a stream repeat. */
export type StreamRequest = Omit<OutgoingRequest, 'body'>;

/** A request as a server reads it from a message. */
export interface IncomingRequest {
  readonly kind: 'unary' | 'stream' | 'event';
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** `Greeter.Hello`; empty where the message names none. Of an event, the topic. */
  readonly name: string;
  /** Empty where the message has none. */
  readonly id: string;
  /** The part that binds the messages of a stream to each other. */
  readonly streamId: string;
  readonly contentType: string;
  /** `undefined` where no codec knows the content type. */
  readonly codec: Codec | undefined;
  /** The time it leaves for its answer in nanoseconds, as the peer wrote it. */
  readonly timeout: string | undefined;
  /** The sender has no further requests on this socket. */
  readonly isLast: boolean;
  /** Why it cannot be served: `malformed` where only the body could name the endpoint and does not parse. */
  readonly problem: MicroError | undefined;
}
