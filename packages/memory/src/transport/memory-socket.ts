import {
  type AbortOptions,
  checkMessage,
  type Message,
  MicroError,
  type SendOptions,
  type Socket,
} from '@ts-micro/core';
import { ClosableBase } from '@ts-micro/kit';
import { copyMessage } from '../copy-message.ts';
import type { Network } from '../network.ts';
import type { Pipe } from './pipe.ts';

/** The parts of one end of a conversation. */
interface SocketInit {
  readonly network: Network;
  readonly local: string;
  readonly remote: string;
  readonly peer?: string | undefined;
  readonly incoming: Pipe;
  readonly outgoing: Pipe;
  readonly maxBodyBytes: number;
  /**
   * Brings the other end to a listener, before the first message goes there. Throws `unavailable` where nobody listens.
   */
  readonly connect?: () => void;
}

export class MemorySocket extends ClosableBase implements Socket {
  readonly local: string;
  readonly remote: string;
  readonly peer: string | undefined;
  readonly #network: Network;
  readonly #incoming: Pipe;
  readonly #outgoing: Pipe;
  readonly #maxBodyBytes: number;
  readonly #what: string;
  #connect: (() => void) | undefined;
  #unreachable: MicroError | undefined;

  constructor({ network, local, remote, peer, incoming, outgoing, maxBodyBytes, connect }: SocketInit) {
    const what = `memory socket from ${local} to ${remote}`;
    super(what);
    this.local = local;
    this.remote = remote;
    this.peer = peer;
    this.#network = network;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#maxBodyBytes = maxBodyBytes;
    this.#connect = connect;
    this.#what = what;
  }

  async send(message: Message, options?: SendOptions): Promise<void> {
    this.#assertUsable(options);
    checkMessage(message, this.#maxBodyBytes, this.#what);
    this.#network.assertReachable(this.#what);
    this.#reach();
    await this.#outgoing.write(copyMessage(message), options);
  }

  async receive(options?: AbortOptions): Promise<Message | undefined> {
    this.#assertUsable(options);
    return this.#incoming.read(options);
  }

  receiveNow(): Message | undefined {
    return this.lifetime.isOpen ? this.#incoming.readNow() : undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    for (let message = await this.#incoming.read(); message; message = await this.#incoming.read()) yield message;
  }

  get peerClosed(): Promise<void> {
    return this.#incoming.ended;
  }

  /** Closes because of `cause`; the peer sees an ordinary end. */
  fail(cause: MicroError): Promise<void> {
    return this.lifetime.fail(cause);
  }

  // A socket that never reached anybody goes on saying so, which tells a caller more than `closed`.
  #assertUsable(options?: AbortOptions): void {
    if (this.#unreachable) throw this.#unreachable;
    this.lifetime.assertOpen(options);
  }

  #reach(): void {
    if (!this.#connect) return;
    try {
      this.#connect();
      this.#connect = undefined;
    } catch (error) {
      this.#unreachable = MicroError.from(error, 'internal', this.#what);
      void this.fail(this.#unreachable);
      throw error;
    }
  }

  protected release(): Promise<void> {
    this.#incoming.cut(this.#unreachable);
    return this.#outgoing.end();
  }
}
