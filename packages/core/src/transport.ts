import type { AbortOptions } from './abort.ts';
import type { Closable, Plugin } from './closable.ts';
import type { Message } from './message.ts';

/** Says what a transport can do. It refuses the rest with `unsupported`. */
export interface TransportFeatures {
  /** A peer learns at once that the other side closed its socket. */
  readonly closeNotice: boolean;
  /** Sending to an address where nobody listens fails at once, not by a deadline. */
  readonly failFast: boolean;
  /** `listen(address)` takes an address of the caller's choice. */
  readonly namedAddresses: boolean;
  /** The largest body in bytes that goes through with ordinary headers (up to 4 KiB of them). */
  readonly maxBodyBytes: number;
}

export interface DialOptions extends AbortOptions {
  /**
   * The metadata of the node that is dialled, as its listener advertised it ({@link Listener.metadata}): a transport
   * that speaks more than one dialect chooses by it. Without it the dialect is the one that every peer understands.
   */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface ListenOptions extends AbortOptions {}

/**
 * Request and response over sockets. (Go Micro: `transport.Transport`.)
 *
 * Contract:
 * - a message reaches the listener's handler with headers and bytes unchanged
 * - a reply reaches the dialler with headers and bytes unchanged
 * - a thousand messages in a burst arrive in order at the listener
 * - a thousand messages in a burst arrive in order at the dialler
 * - two sockets to one listener never mix their messages
 * - both sides send at once and each receives all
 * - an empty body and no headers arrive as such
 * - header values arrive unchanged when empty or unicode, and names keep their case
 * - a hundred headers arrive
 * - header names `__proto__` and `constructor` are plain headers
 * - a body of `maxBodyBytes` goes through
 * - a body too large is refused with `too_large` and the socket stays usable
 * - listening without an address makes up a fresh one each time
 * - listening on a given address serves that address
 * - listening on an address that is served already is refused with `conflict`, or shares it
 * - an address that cannot be one is refused with `invalid`
 * - dialling an address where nobody listens fails its first exchange with `unavailable`, safe to retry
 * - closing a transport closes its listeners and sockets
 * - any program of dialling, sending, receiving and closing gives each side what the other sent
 *
 * Outage contract:
 * - a listener is reached again after an outage
 * - an open socket carries messages again after an outage, or has closed with `unavailable`
 * - after an outage a socket works, or has failed, on both sides where closes are told
 * - sending during an outage rejects with `unavailable`
 * - a `receive` pending through an outage ends by its deadline at the latest
 * - closing a transport during an outage does not hang
 * - a transport recovers from a cut network
 * - what reached its peer before an outage does not fail as safe to retry
 * - `isConnected`, where it is known, is false during an outage and true after it
 * - a connection that is lost without a word is found out
 * - a call ends at its deadline though nobody answers
 *
 * Contract of foreign data and credentials:
 * - bytes that another program sent stop no listener and no socket
 * - credentials that the server refuses are `unauthorized`
 */
export interface Transport extends Plugin {
  readonly supports: TransportFeatures;
  /**
   * Opens a socket to a listener's address. Does not wait for the peer: that nobody listens shows at the first
   * exchange. Errors: `invalid`, `unavailable`, `closed`.
   */
  dial(address: string, options?: DialOptions): Promise<Socket>;
  /**
   * Opens a listener on `address`, or on a fresh one. Errors: `invalid`, `conflict` where the backend can tell,
   * `unavailable`, `closed`.
   */
  listen(address?: string, options?: ListenOptions): Promise<Listener>;
}

/**
 * Takes in dialled sockets.
 *
 * Contract:
 * - a message sent as soon as `accept` has resolved arrives
 * - a second `accept` is refused with `conflict`
 * - a slow handler on one socket does not delay another
 * - a socket closes when its handler settles
 * - a handler that throws closes only its own socket
 * - closing a listener stops new sockets and lets open ones finish
 * - a handler that never settles does not hold a close beyond its bound
 */
export interface Listener extends Closable {
  /** The address for the registry, which others dial. */
  readonly address: string;
  /**
   * Further entries for the node's metadata, which come back as {@link DialOptions.metadata}: the dialects this
   * listener understands.
   */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Hands each new socket to `handler`; resolves once a message sent now would arrive. A handler that throws is logged.
   * Errors: `conflict`, `unavailable`, `closed`.
   */
  accept(handler: (socket: Socket) => void | Promise<void>, options?: AbortOptions): Promise<void>;
}

export interface SendOptions extends AbortOptions {
  /**
   * The last message from this side: it waits for those before it and for no room at the peer, so that an end passes
   * every window.
   * @default false
   */
  readonly isLast?: boolean | undefined;
}

/**
 * One conversation: messages both ways, each side in order.
 *
 * Contract:
 * - `local` and `remote` name the two ends
 * - a header that breaks the rules is refused with `invalid` and the socket stays usable
 * - what the sender changes after `send` does not change what arrives
 * - what the receiver changes does not change what the sender holds
 * - the peer's `receive` gives `undefined` after a close
 * - what was sent before a close arrives before its end
 * - closing ends a pending `receive` with `undefined`
 * - closing ends a pending `send`
 * - an aborted `receive` loses no message
 * - an aborted wait rejects with `canceled`, the signal's reason as cause
 * - a wait past its deadline rejects with `timeout`
 * - a signal aborted before `send` sends nothing
 * - concurrent receives get one message each
 * - `receiveNow`, where there is one, takes what the next `receive` would
 * - a socket that nobody reads does not delay another
 * - `for await` yields each message until the peer closes
 */
export interface Socket extends Closable, AsyncIterable<Message> {
  readonly local: string;
  readonly remote: string;
  /**
   * Names the process that dialled, where the listener's backend can tell: its sockets have the name in common, and
   * where something is short, who has most of it gives way to others.
   */
  readonly peer?: string | undefined;
  /**
   * Resolves, and never rejects, as soon as the peer is known to have closed or gone, though what it sent before may
   * still be received; also where this side has closed. Absent where the backend has no notice of it.
   */
  readonly peerClosed?: Promise<void> | undefined;
  /**
   * Sends one message; resolves once it is handed to the backend, which may first wait for room where the peer does not
   * receive: until the signal aborts or this side closes. Errors: `invalid` (a header), `too_large`, `unavailable`
   * (nobody listens, or no connection; `retrySafe` where it cannot have arrived), `closed`.
   */
  send(message: Message, options?: SendOptions): Promise<void>;
  /**
   * The peer's next message, `undefined` once the peer closed. Errors: `unavailable` where nobody listens, `closed`
   * after this side closed.
   */
  receive(options?: AbortOptions): Promise<Message | undefined>;
  /**
   * Receives the next message where one waits already, in the order of `receive` and without a promise; `undefined`
   * where none does, whatever the reason. Only a quicker way: a socket may have none.
   */
  receiveNow?(): Message | undefined;
}
