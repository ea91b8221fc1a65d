import { type AbortOptions, type Listener, type Logger, type Message, MicroError, type Socket } from '@ts-micro/core';
import { ByteBudget } from '../budget/byte-budget.ts';
import { bounded } from '../lifecycle/bounded.ts';
import { ClosableBase } from '../lifecycle/closable-base.ts';
import { type ConversationKind, ConversationSocket, type ConversationSocketOptions } from './conversation-socket.ts';

/** What came to an address that is listened on. */
export interface ConversationMessage {
  /** Tells conversations apart: no two diallers have the same. */
  readonly key: string;
  readonly remote: string;
  /** The process that dialled: what its sockets hold counts together. @default `remote` */
  readonly peer?: string | undefined;
  /** `undefined` from a peer that knows no kinds. */
  readonly kind: ConversationKind | undefined;
  /** Throws where it is no message. */
  readonly read: () => Message;
  readonly transmit: ConversationSocketOptions['transmit'];
}

export interface ConversationListenerOptions extends Pick<ConversationSocketOptions, 'maxBodyBytes'> {
  /** Begins every message: `rabbitmq transport`. */
  readonly who: string;
  readonly address: string;
  /** Entries for the node's metadata, by which diallers know that kinds are understood here. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Resolves once a message sent now would be handed to `take`, which never throws. */
  readonly serve: (take: (message: ConversationMessage) => void, options: AbortOptions) => Promise<unknown>;
  /** Ends that. */
  readonly stop: () => Promise<unknown>;
  /** Sockets at once; beyond it dialling is refused. @default 65536 */
  readonly maxSockets?: number | undefined;
  /**
   * Bytes that its sockets hold which were not received yet, half of it for one process; beyond it the socket whose
   * last bytes came longest ago fails with `unavailable`. @default 1073741824 (1 GiB)
   */
  readonly maxUnreceivedBytes?: number | undefined;
  /** How long closing waits for handlers, in milliseconds. */
  readonly closeTimeoutMs: number;
  readonly logger: Logger;
}

type Handler = (socket: Socket) => void | Promise<void>;

const nothing: Message = { headers: {}, body: new Uint8Array() };

/** A whole {@link Listener}: makes a socket for every conversation that comes to its address. */
export class ConversationListener extends ClosableBase implements Listener {
  readonly address: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #options: ConversationListenerOptions;
  readonly #what: string;
  /** By the key of its conversation. */
  readonly #known = new Map<string, ConversationSocket>();
  /** With the end of its handler. */
  readonly #running = new Map<ConversationSocket, Promise<void>>();
  readonly #budget: ByteBudget;
  readonly #maxSockets: number;
  #isAccepting = false;

  constructor(options: ConversationListenerOptions) {
    const { who, address, metadata, maxSockets = 65_536, maxUnreceivedBytes = 2 ** 30 } = options;
    const what = `${who}: listener ${address}`;
    super(what);
    this.address = address;
    this.metadata = metadata;
    this.#options = options;
    this.#what = what;
    this.#maxSockets = maxSockets;
    this.#budget = new ByteBudget(maxUnreceivedBytes, `${what}: messages that were not received`);
  }

  async accept(handler: Handler, options: AbortOptions = {}): Promise<void> {
    this.lifetime.assertOpen(options);
    if (this.#isAccepting) throw new MicroError('conflict', `${this.#what}: accept was called already`);
    this.#isAccepting = true;
    try {
      await this.#options.serve((message) => this.#take(message, handler), options);
    } catch (error) {
      this.#isAccepting = false;
      throw error;
    }
  }

  /** The sockets that are open. */
  get sockets(): readonly ConversationSocket[] {
    return [...this.#running.keys()];
  }

  /**
   * Lets the handlers of peers that leave without a word receive the end, where no message went either way for
   * `quietMs` milliseconds. What such a peer says later opens another socket.
   */
  retireQuiet(quietMs: number): void {
    for (const [key, socket] of this.#known) if (socket.retire(quietMs)) this.#known.delete(key);
  }

  /** The socket of a conversation that is open. */
  socketOf(key: string): ConversationSocket | undefined {
    return this.#known.get(key);
  }

  #take({ key, remote, peer, kind, read, transmit }: ConversationMessage, handler: Handler): void {
    const known = this.#known.get(key);
    if (known) {
      known.take(kind, read);
      return;
    }
    const isFirst = kind === undefined || kind === 'open';
    // While it closes, those that are open still need their messages, and nobody else is let in.
    if (isFirst && this.lifetime.isOpen && this.#running.size < this.#maxSockets) {
      const { address: local, maxBodyBytes } = this.#options;
      const what = `${this.#options.who}: socket of ${local} to ${remote}`;
      const isNative = kind !== undefined;
      const budget = this.#budget;
      const ends = { what, local, remote, peer, isNative, opens: false };
      const socket = new ConversationSocket({ ...ends, maxBodyBytes, budget, transmit });
      this.#known.set(key, socket);
      this.#running.set(socket, this.#handle(key, socket, handler));
      socket.take(kind, read);
    } else if (kind === 'open' || kind === 'more' || kind === 'ping') {
      transmit(isFirst ? 'refused' : 'gone', nothing).catch(() => {});
    }
  }

  async #handle(key: string, socket: ConversationSocket, handler: Handler): Promise<void> {
    try {
      // In a turn of its own, because the backend waits.
      await Promise.resolve().then(() => handler(socket));
    } catch (error) {
      this.#options.logger.error('socket handler failed', { listener: this.address, error });
    }
    await socket.close();
    if (this.#known.get(key) === socket) this.#known.delete(key);
    this.#running.delete(socket);
  }

  protected async release(options: AbortOptions): Promise<void> {
    const { closeTimeoutMs, stop } = this.#options;
    const open = [...this.#running.keys()];
    const what = `${this.#what}: closing with ${open.length} open sockets`;
    try {
      await bounded(Promise.all(this.#running.values()), options, closeTimeoutMs, what);
    } catch (error) {
      const cause = MicroError.from(error, 'internal', what);
      for (const socket of open) socket.fail(cause);
      throw cause;
    } finally {
      await stop();
    }
  }
}
