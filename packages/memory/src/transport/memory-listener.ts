import { type AbortOptions, type Listener, type Logger, MicroError, type Socket } from '@ts-micro/core';
import { bounded, ClosableBase } from '@ts-micro/kit';
import type { Network } from '../network.ts';
import { MemorySocket } from './memory-socket.ts';
import type { Pipe } from './pipe.ts';

/** What a dialler brings. */
interface Conversation {
  readonly remote: string;
  /** The dialling transport. */
  readonly peer: string;
  readonly incoming: Pipe;
  readonly outgoing: Pipe;
}

type SocketHandler = (socket: Socket) => void | Promise<void>;

interface ListenerInit {
  readonly network: Network;
  readonly address: string;
  readonly maxBodyBytes: number;
  readonly closeTimeoutMs: number;
  readonly logger: Logger;
}

export class MemoryListener extends ClosableBase implements Listener {
  readonly address: string;
  readonly metadata: Readonly<Record<string, string>> = Object.freeze({});
  readonly #network: Network;
  readonly #maxBodyBytes: number;
  readonly #closeTimeoutMs: number;
  readonly #logger: Logger;
  readonly #what: string;
  /** Sockets whose handler runs, with the promise of its end. */
  readonly #open = new Map<MemorySocket, Promise<void>>();
  #handler: SocketHandler | undefined;

  /** Takes its address until it is closed. Throws `conflict` where somebody else has it. */
  constructor({ network, address, maxBodyBytes, closeTimeoutMs, logger }: ListenerInit) {
    const what = `memory listener ${address}`;
    super(what);
    this.address = address;
    this.#network = network;
    this.#maxBodyBytes = maxBodyBytes;
    this.#closeTimeoutMs = closeTimeoutMs;
    this.#logger = logger;
    this.#what = what;
    if (network.listeners.has(address)) throw new MicroError('conflict', `${this.#what}: the address is in use`);
    network.listeners.set(address, this);
  }

  async accept(handler: SocketHandler, options?: AbortOptions): Promise<void> {
    this.lifetime.assertOpen(options);
    if (this.#handler) throw new MicroError('conflict', `${this.#what}: accept was called already`);
    this.#network.assertReachable(this.#what);
    this.#handler = handler;
  }

  /** True once somebody handles what comes in. */
  get isAccepting(): boolean {
    return this.#handler !== undefined;
  }

  /** Makes this end of a new conversation and hands it to the handler. */
  connect({ remote, peer, incoming, outgoing }: Conversation): void {
    const socket = new MemorySocket({
      network: this.#network,
      local: this.address,
      remote,
      peer,
      incoming,
      outgoing,
      maxBodyBytes: this.#maxBodyBytes,
    });
    this.#open.set(
      socket,
      this.#handle(socket).finally(() => this.#open.delete(socket)),
    );
  }

  async #handle(socket: MemorySocket): Promise<void> {
    try {
      await this.#network.later(() => this.#handler?.(socket));
    } catch (error) {
      this.#logger.error('socket handler failed', { listener: this.address, remote: socket.remote, error });
    }
    await socket.close();
  }

  protected async release(options: AbortOptions): Promise<void> {
    this.#network.listeners.delete(this.address);
    if (this.#open.size === 0) return;
    const what = `${this.#what}: closing with ${this.#open.size} open sockets`;
    try {
      await bounded(Promise.all(this.#open.values()), options, this.#closeTimeoutMs, what);
    } catch (error) {
      const cause = MicroError.from(error, 'internal', what);
      await Promise.all(Array.from(this.#open.keys(), (socket) => socket.fail(cause)));
      throw cause;
    }
  }
}
