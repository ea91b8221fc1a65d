import type { Headers } from '@ts-micro/core';

/**
 * The context of the request or event that a handler runs for. It goes on with the calls and events it makes in its
 * course: give it as `{ context }` to the client, which takes over the metadata (but `Micro-From-Service`), the
 * deadline and the signal.
 */
export interface CallContext {
  /** The application's headers, without those of the transport level. */
  readonly metadata: Headers;
  /** When the caller stops waiting, in epoch milliseconds by the clock as it is set when this is read. */
  readonly deadline: number | undefined;
  /**
   * Aborts at the deadline; when the caller aborts, closes or vanishes, as far as its dialect tells; for a stream as
   * soon as the service begins to stop, and for everything else when the service stops without waiting any longer.
   */
  readonly signal: AbortSignal;
}
