import type { AbortOptions } from './abort.ts';
import type { Closable, Plugin } from './closable.ts';
import type { MicroError } from './error.ts';
import type { Message } from './message.ts';

/** Says what a broker can do. It refuses the rest with `unsupported`. */
export interface BrokerFeatures {
  /** `subscribe(..., { queue })`: one member of a queue gets each message. */
  readonly queues: boolean;
  /** Topics of `subscribe` may hold `*` (exactly one token between dots) and a last `>` (one or more tokens). */
  readonly wildcards: boolean;
  /** The largest body in bytes that goes through with ordinary headers (up to 4 KiB of them). */
  readonly maxBodyBytes: number;
  /**
   * Its messages are for readers that know the topic, not for Go Micro's: the runtime then adds to an event no more
   * than its content type. @default false
   */
  readonly plainEvents?: boolean | undefined;
  /**
   * `subscribe(..., { queue, durable: true })`: messages wait for the members of a queue. `publish(..., { id })`.
   * @default false
   */
  readonly durableQueues?: boolean | undefined;
  /** `subscribe(..., { queue, redelivery })`: a message whose handler throws comes again. @default false */
  readonly redelivery?: boolean | undefined;
}

/** The options of the broker with defaults filled in; a backend adds its own. (Go: `Options()`.) */
export interface BrokerOptions {
  /** Servers in the backend's notation; empty where it needs none. */
  readonly addresses: readonly string[];
}

export interface PublishOptions extends AbortOptions {
  /**
   * Names the message: published again with the same `id`, on whatever topic, it is stored once. Ids are remembered
   * for minutes at least. Needs `supports.durableQueues`.
   */
  readonly id?: string | undefined;
}

/** How a durable queue delivers a message again whose handler threw. */
export interface RedeliveryOptions {
  /** How often a message is delivered at most, the first time included. @default 5 */
  readonly maxDeliveries?: number | undefined;
  /** The pause before the second delivery in milliseconds; each further pause is twice as long. @default 1000 */
  readonly pauseMs?: number | undefined;
  /** The longest pause in milliseconds. @default 60000 */
  readonly maxPauseMs?: number | undefined;
  /**
   * The topic on which the message is published once its last delivery has failed, or was never settled, with its own
   * headers and `Dead-Letter-Topic`, `Dead-Letter-Reason` and `Dead-Letter-Deliveries`. @default
   * `dead-letter.` and its topic; a message from there is dropped
   */
  readonly deadLetterTopic?: string | undefined;
}

export interface SubscribeOptions extends AbortOptions {
  /** Subscribers with the same queue on the same topic share its messages, each going to one of them. */
  readonly queue?: string | undefined;
  /** How many handlers of this subscription may run at once. 1 keeps the publisher's order. @default 1 */
  readonly concurrency?: number | undefined;
  /**
   * Told of every message whose handler threw (`internal`, the thrown value as cause) or whose bytes did not parse
   * (`malformed`).
   */
  readonly onError?: ((error: MicroError, event?: BrokerEvent) => void) | undefined;
  /**
   * Told where the backend takes the subscription away and the broker asks for it again by itself, as after a change of
   * permissions.
   */
  readonly onLost?: ((error: MicroError) => void) | undefined;
  /** Told when a lost one is there again; what was published meanwhile did not arrive. */
  readonly onRestored?: (() => void) | undefined;
  /**
   * The queue keeps its messages while no member is there, from its first member on and across restarts. Needs
   * `supports.durableQueues`, and a `queue`. A broker may keep every queue so. @default false
   */
  readonly durable?: boolean | undefined;
  /**
   * Messages of the queue whose handler throws come again. Needs `supports.redelivery`, and a `queue`. @default what
   * the broker does
   */
  readonly redelivery?: RedeliveryOptions | undefined;
}

/** A message as it arrived. `topic` is the topic it was published on, not the subscription's pattern. */
export interface BrokerEvent {
  readonly topic: string;
  readonly message: Message;
  /** Which delivery of the message this is, from 1; absent where the broker delivers each once. */
  readonly delivery?: number | undefined;
}

export type BrokerHandler = (event: BrokerEvent) => void | Promise<void>;

/**
 * Publish and subscribe: at most once, and at least once to durable queues. (Go Micro: `broker.Broker`.)
 *
 * Contract:
 * - every subscriber of a topic gets every message, with headers and bytes unchanged
 * - a message published as soon as `subscribe` has resolved arrives
 * - one publisher's thousand messages in a burst arrive in order
 * - one member of a queue gets each message
 * - two queues on one topic get each message once each
 * - a queue and a plain subscriber each get the message
 * - queue members joining and leaving under load lose nothing
 * - the only member of a queue on its broker leaves under load and nothing is lost
 * - a subscriber gets nothing that was published before it subscribed
 * - a subscriber that comes as another one of its topic leaves gets what is published then
 * - a `subscribe` that was aborted delivers nothing
 * - a burst of many thousand messages arrives in order
 * - any program of subscribing, publishing and leaving delivers what is due, and nothing else
 * - a `*` matches one token and the event names the actual topic
 * - a `>` matches one or more last tokens
 * - other topics are not delivered
 * - signs that mean something elsewhere mean nothing in a topic
 * - signs that mean something elsewhere mean nothing in the name of a queue
 * - an empty body and no headers arrive as such
 * - header values arrive unchanged when empty or unicode, and names keep their case
 * - a hundred headers arrive
 * - header names `__proto__` and `constructor` are plain headers
 * - a body of `maxBodyBytes` goes through
 * - a body too large is refused with `too_large` and the broker stays usable
 * - headers of more than 64 KiB arrive or are refused with `too_large`, and the broker stays usable
 * - a header that breaks the rules is refused with `invalid`
 * - a topic that cannot be one is refused with `invalid`
 * - publishing on a wildcard is refused with `invalid`
 * - a queue or `concurrency` that cannot be one is refused with `invalid`
 * - what the publisher changes after `publish` does not change what arrives
 * - subscribers cannot change what other subscribers get
 * - publishing where nobody subscribes succeeds
 * - a signal aborted before `publish` sends nothing
 * - disconnecting waits for running handlers and stops delivery
 * - a disconnected broker refuses with `unavailable`
 * - a broker connects again after disconnecting
 *
 * Outage contract:
 * - a subscriber gets messages again after an outage
 * - a queue is still one queue after an outage
 * - publishing during an outage rejects with `unavailable`
 * - subscribing during an outage rejects with `unavailable`, and works after it
 * - a member that closed during an outage takes nothing from its queue after it
 * - closing a broker during an outage does not hang
 * - a broker recovers from a cut network
 * - what is published after an outage arrives once
 * - `isConnected`, where it is known, is false during an outage and true after it
 * - a connection that is lost without a word is found out
 * - a call ends at its deadline though nobody answers
 *
 * Contract of foreign data and credentials:
 * - bytes that another program published stop no delivery
 * - credentials that the server refuses are `unauthorized`
 *
 * Contract of durable queues:
 * - what is published while a durable queue has no member arrives
 * - publishing again with the same `id` stores one message
 * - a durable subscription without a queue is refused with `invalid`
 * - what a member of a durable queue has not handled when it closes goes to another
 * - what a member of a durable queue abandons at a close goes to another
 * - what was stored for a durable queue arrives after an outage
 *
 * Contract of redelivery:
 * - a message whose handler throws comes again, and its event tells the number of the delivery
 * - the pauses before a message comes again grow
 * - a message that fails to the last goes to the dead-letter topic with its reason
 * - a message that fails does not stop those behind it
 * - a message that no member settles goes to the dead-letter topic after its last delivery
 * - redelivery that cannot be is refused with `invalid`
 */
export interface Broker extends Plugin {
  readonly options: BrokerOptions;
  readonly supports: BrokerFeatures;
  /** The server connected to, else the first configured one; empty where there is none. (Go: `Address()`.) */
  readonly address: string;
  /**
   * Connects now; optional, as the first use connects. After a `disconnect` nothing else makes the broker usable again.
   * Errors: `unavailable`, `unauthorized`, `timeout`.
   */
  connect(options?: AbortOptions): Promise<void>;
  /**
   * Ends every subscription after its running handlers, for good: `connect` brings none back. Then gives the connection
   * back; a borrowed one stays open. Until `connect` is called, publishing and subscribing reject with `unavailable`,
   * safe to retry. Bounded like `close`.
   */
  disconnect(options?: AbortOptions): Promise<void>;
  /**
   * Publishes one message; resolves once it is handed to the backend, which has stored it where it has durable queues.
   * Errors: `invalid` (topic, header), `too_large`, `unsupported` (id), `unavailable`, `closed`.
   */
  publish(topic: string, message: Message, options?: PublishOptions): Promise<void>;
  /**
   * Subscribes; resolves once a message published now would arrive. Errors: `invalid` (topic, queue, concurrency),
   * `unsupported`, `unauthorized`, `unavailable`, `closed`.
   */
  subscribe(topic: string, handler: BrokerHandler, options?: SubscribeOptions): Promise<Subscriber>;
}

/**
 * One subscription.
 *
 * Contract:
 * - a handler that throws does not stop delivery and is reported
 * - an `onError` that throws does not stop delivery
 * - at most `concurrency` handlers run at once
 * - closing a subscriber waits for running handlers
 * - nothing is delivered after a subscriber is closed
 * - a slow subscriber does not delay another
 * - a handler that never settles does not hold a close beyond its bound
 * - closing a broker closes its subscribers
 */
export interface Subscriber extends Closable {
  /** The topic or pattern that was subscribed. */
  readonly topic: string;
  readonly queue: string | undefined;
}
