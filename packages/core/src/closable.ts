import type { AbortOptions } from './abort.ts';
import type { MicroError } from './error.ts';

/**
 * Whatever you open hands you something to close.
 *
 * Contract, kept by every transport, listener, socket, broker, subscriber, registry and watcher:
 * - methods refuse with `closed` after close
 * - closing twice is one close
 * - `closed` resolves with `undefined` after a plain close
 * - `await using` closes
 * - a method given an aborted signal rejects with `canceled`, the signal's reason as cause
 * - a method given a deadline that has passed rejects with `timeout`
 * - a settled call keeps no listener on its signal
 * - calls made at once from many callers all succeed
 * - closing while calls are under way settles them all
 */
export interface Closable extends AsyncDisposable {
  /**
   * Resolves, and never rejects, once everything is released: with the error that ended it, or `undefined` after a
   * plain close.
   */
  readonly closed: Promise<MicroError | undefined>;
  /**
   * Stops intake, finishes what is in flight, then releases. Waits for what is in flight until `signal` aborts or the
   * backend's own bound passes; then it releases all the same, and `closed` resolves with the `timeout` or `canceled`
   * that says what was abandoned. Never rejects.
   */
  close(options?: AbortOptions): Promise<void>;
}

/** What a transport, a broker and a registry say of themselves. */
export interface Plugin extends Closable {
  /** Names it in flags and node metadata: `nats`. (Go: `String()`.) */
  readonly name: string;
  /** False while the backend is known to be out of reach; absent or `undefined` where that is not known. */
  readonly isConnected?: boolean | undefined;
  /** Why `isConnected` is false, in the words of the backend where it said some; absent where that is not known. */
  readonly outage?: Error | undefined;
}
