import type { AbortOptions, Closable } from '@ts-micro/core';

/**
 * A conversation of values both ways, each side in order: what `client.stream` opens and `service.handleStream`
 * handles.
 *
 * Contract, on either side:
 * - values arrive in the order they were sent, in both directions at once
 * - after the peer's end `receive` gives `undefined`, and goes on doing so
 * - after the peer's error, or where it vanished, `receive` rejects, and goes on doing so
 * - a message that does not decode rejects one `receive` with `malformed` and leaves the stream usable
 * - sending after `end` is refused with `closed`
 * - once the peer has ended or failed it, sending rejects with that, though what it sent before was not received yet
 * - ends, errors and closes pass every window: a full one delays none of them. Go Micro's dialect has no window: where
 *   more than 16,384 values or 64 MiB wait to be received, the stream fails with `unavailable` after them
 * - a client that leaves a `for await` loop closes it; a handler does not, and may still send. `receive` reads one
 *   value and closes nothing
 * - an aborted `receive` loses no value
 * - closing ends a pending `receive` with `undefined`
 */
export interface MessageStream<Send = unknown, Receive = unknown> extends Closable, AsyncIterable<Receive> {
  /**
   * Aborts once nothing can be sent any more: the peer has ended or failed the stream, though that was not received
   * yet, or this side has closed it. For who makes what is sent. Only streams that wrap another may lack it.
   */
  readonly sendSignal?: AbortSignal | undefined;
  /**
   * Sends one value; resolves once it is handed to the backend. Errors: `invalid` (the value), `too_large`,
   * `unavailable`, `closed`.
   */
  send(value: Send, options?: AbortOptions): Promise<void>;
  /**
   * The peer's next value, `undefined` after its end. Errors: what the peer ended with, `unavailable` where it
   * vanished, `malformed`, `closed`.
   */
  receive(options?: AbortOptions): Promise<Receive | undefined>;
  /** Says that nothing more is sent from here; receiving goes on. Idempotent. */
  end(options?: AbortOptions): Promise<void>;
}
