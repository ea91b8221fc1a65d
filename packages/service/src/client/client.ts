import type { Closable } from '@ts-micro/core';
import type { Middleware } from '../middleware.ts';
import type { MessageStream } from '../stream/message-stream.ts';
import type { CallOptions, EventOptions, StreamOptions } from './client-options.ts';

/**
 * Calls services, opens streams to them, and publishes events. (Go Micro: `client.Client`.)
 *
 * Closing it waits for running calls up to five seconds, ends the others with `closed`, closes streams and idle
 * sockets, and leaves the plugins it was given open. A middleware that awaits it in a call waits for itself, until that
 * bound or the call's `timeoutMs`: close it after the call.
 */
export interface Client extends Closable {
  /**
   * Calls an endpoint of a service and resolves with its response.
   *
   * A failed attempt is followed by another, at another node where there is one, while the call has time and retries
   * left: always where the request cannot have run, and where it is `idempotent` also after a failure that leaves that
   * open. What a handler answered is never tried again.
   *
   * Errors: `remote` with the handler's own words; `timeout` naming the node and the time; `canceled`; `not_found` for
   * an unknown service, version or endpoint; `unavailable` where no node can be reached or the registry cannot be
   * asked; `invalid`, `too_large`, `unsupported`, `malformed`, `closed`.
   */
  call<Response = unknown>(
    service: string,
    endpoint: string,
    request?: unknown,
    options?: CallOptions,
  ): Promise<Response>;
  /**
   * Opens a stream to an endpoint of a service; resolves once its opener is sent.
   *
   * Retries apply to that alone. A signal given here ends the stream as well. `end` tells the peer that nothing more
   * is sent; receiving goes on until the peer's end, its error, or `streamIdleMs` without a word: a Go Micro handler
   * that has seen our end does not say its own.
   *
   * Errors: as `call`; of the stream see {@link MessageStream}, and `timeout` after `streamIdleMs`.
   */
  stream<Send = unknown, Receive = unknown>(
    service: string,
    endpoint: string,
    options?: StreamOptions,
  ): Promise<MessageStream<Send, Receive>>;
  /**
   * Publishes an event; resolves once it is handed to the broker. Errors: `unsupported` without a broker, or a codec
   * for its content type; `invalid`; `timeout` where the deadline of its `context` has passed; and those of the broker.
   */
  publish(topic: string, event?: unknown, options?: EventOptions): Promise<void>;
  /** Wraps what is called, opened and published from now on; the first one added is the outermost. */
  use(middleware: Middleware): void;
}
