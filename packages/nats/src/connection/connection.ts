import type { AbortOptions, Closable, Headers, MicroError } from '@ts-micro/core';

/** The phase of a connection's life. `draining` is after `close()` was called, while what is in flight finishes. */
export type NatsStatus = 'connecting' | 'connected' | 'reconnecting' | 'draining' | 'closed';

/** The state of a connection. */
export interface NatsState {
  readonly status: NatsStatus;
  /** `host:port` of the server connected to, or last connected to. */
  readonly server: string | undefined;
  /** Every server known, configured or learnt from the cluster, as `host:port`. */
  readonly servers: readonly string[];
  /** How often the connection was lost and made again. */
  readonly reconnects: number;
  /** Subjects of subscriptions that the server has taken away and that are asked for again; empty when all is well. */
  readonly lost: readonly string[];
}

/** A message as it comes off the wire. `data` is valid after the callback returns. */
export interface NatsMessage {
  readonly subject: string;
  readonly reply?: string | undefined;
  readonly data: Uint8Array;
  /** The status code of the message's NATS header: 503 is "no responders", 0 is none. */
  readonly status: number;
  /** The words of the server beside the status. */
  readonly statusText?: string | undefined;
  /** The NATS headers, decoded when asked for; of a name that is there several times, the first value. */
  headers(): Headers;
}

export interface NatsSubscribeOptions {
  readonly queue?: string | undefined;
  /**
   * Called on the connection's read loop for every message; must not wait. What it throws is logged and does no harm.
   */
  readonly onMessage: (message: NatsMessage) => void;
  /**
   * Called once when it has ended without being told to: the server refused it (`unauthorized`, `invalid`, or
   * `unavailable` at a limit, with
   * the server's sentence), or the connection was closed (what ended that, else `unavailable`).
   */
  readonly onError?: ((error: MicroError) => void) | undefined;
  /**
   * Called when the server has taken away a subscription that it had confirmed, as at a reload of its permissions. It
   * is asked for again,
   * with a back-off of 0.2 to 10 s, until it is there or ended. Without this function such a subscription is over, and
   * `onError` is called.
   */
  readonly onLost?: ((error: MicroError) => void) | undefined;
  /** Called when a lost one is there again; what was published meanwhile did not arrive. */
  readonly onRestored?: (() => void) | undefined;
}

/** One SUB on the server. Made again by itself after a reconnect, with its queue. */
export interface NatsSubscription {
  readonly subject: string;
  /**
   * Waits until the server has it: a message published now would arrive. Rejects with `unauthorized` or `invalid` where
   * the server refused it, `unavailable` at a limit of the server or when disconnected.
   */
  confirm(options?: AbortOptions): Promise<void>;
  /**
   * Ends it without loss: the server sends no more, and what it had sent until then was handed to `onMessage` once this
   * resolves.
   * Rejects as `flush` does, and has ended all the same.
   */
  drain(options?: AbortOptions): Promise<void>;
  /** Ends it at once. Idempotent; also allowed while disconnected. */
  unsubscribe(): void;
}

export interface NatsPublishOptions {
  readonly reply?: string | undefined;
  /** Bytes of the message before `data`, so that nobody need put the two together. Copied as well. @default none */
  readonly prefix?: Uint8Array | undefined;
  readonly headers?: Headers | undefined;
  /**
   * A status for the header block: an empty message with 503 tells a requester that nobody responds, as the server
   * itself tells it.
   */
  readonly status?: number | undefined;
}

/**
 * One connection to NATS, shared by as many plugins as are given it.
 *
 * Reconnects without end; what was published while it was disconnected is refused, never buffered in silence.
 */
export interface NatsConnection extends Closable {
  readonly state: NatsState;
  /**
   * Why it is not connected, or which subscriptions are lost: the server's sentence, or what the last dial met.
   * `undefined` while all is well, and where nothing is known yet.
   */
  readonly outage: MicroError | undefined;
  /** The server connected to, else the first configured, as `host:port`. */
  readonly address: string;
  /** The server's `max_payload` in bytes. */
  readonly maxPayload: number;
  /** The prefix of reply subjects that are given no other: the option `inboxPrefix`. */
  readonly inboxPrefix: string;
  /**
   * Returns a fresh subject that nobody can guess, without a trailing dot: `_INBOX.<22 letters and digits>`, 131 random
   * bits. It begins
   * with `prefix`. @default `inboxPrefix`
   */
  newInbox(prefix?: string): string;
  /**
   * Waits until connected. Rejects with `unauthorized`, `unavailable`, `closed`, or as the signal aborts; waits at most
   * `connectTimeoutMs` without a signal.
   */
  ready(options?: AbortOptions): Promise<void>;
  /** Calls `listener` at every change of `state`; returns what ends that. */
  onStateChange(listener: (state: NatsState) => void): () => void;
  /**
   * Calls `listener` each time the server refuses a publish of this connection: `error` is `unauthorized`, names the
   * subject and carries
   * the server's sentence. Whoever waits for an answer to a message on `subject` fails with it. A listener that returns
   * `true` had expected it, and it is not logged. Returns what ends that.
   */
  onPublishDenied(listener: (subject: string, error: MicroError) => unknown): () => void;
  /**
   * Writes one message. Throws `unavailable` (retrySafe) when not connected, `too_large`, `closed`. Does not check the
   * subject: see `checkSubject`. Copies `data`.
   */
  publish(subject: string, data: Uint8Array, options?: NatsPublishOptions): void;
  /**
   * `undefined` while what was published lately is little (about 1 MiB); else a promise for when the server has taken
   * it, or the signal aborts.
   * A loop that publishes must await it, or it fills memory and lets nothing else run. Never rejects.
   */
  room(options?: AbortOptions): Promise<void> | undefined;
  /** Starts a subscription. Throws `closed`. While disconnected it is made at the next connect. */
  subscribe(subject: string, options: NatsSubscribeOptions): NatsSubscription;
  /**
   * A round trip to the server: everything published before has reached it. Rejects with `unavailable` when the
   * connection is lost meanwhile, with `timeout` where no answer comes within 10 s.
   */
  flush(options?: AbortOptions): Promise<void>;
  /**
   * Marks this moment, for the next flush: returns a function that tells in `onMessage` whether the server sent that
   * message after it had answered a flush begun from now on. `undefined` on a borrowed connection, where nobody knows.
   */
  mark(): (() => boolean) | undefined;
}
