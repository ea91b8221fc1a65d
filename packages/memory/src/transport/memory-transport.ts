import {
  type AbortOptions,
  type Closable,
  checkName,
  type DialOptions,
  type Listener,
  type ListenOptions,
  type Logger,
  MicroError,
  type Socket,
  type Transport,
  type TransportFeatures,
} from '@ts-micro/core';
import { ClosableBase, closeAll, OptionChecks, type OptionNames, safeLogger } from '@ts-micro/kit';
import { checkCount } from '../check-count.ts';
import { type MemoryNetwork, networkOf } from '../memory-network.ts';
import type { Network } from '../network.ts';
import { MemoryListener } from './memory-listener.ts';
import { MemorySocket } from './memory-socket.ts';
import { Pipe, type PipeLimits } from './pipe.ts';

export interface MemoryTransportOptions {
  /** The network on which it meets others. @default the one network that everybody in this process shares */
  readonly network?: MemoryNetwork | undefined;
  /** The largest body in bytes. @default 67108864 (64 MiB) */
  readonly maxBodyBytes?: number | undefined;
  /**
   * Messages that may wait to be received in each direction of a socket it dials; `send` waits for room beyond.
   * @default 10000
   */
  readonly maxQueuedMessages?: number | undefined;
  /** Bytes that may wait likewise, and one message more. @default 67108864 (64 MiB) */
  readonly maxQueuedBytes?: number | undefined;
  /** How long closing waits for handlers, in milliseconds. @default 10000 */
  readonly closeTimeoutMs?: number | undefined;
  /** Told of handlers that throw. @default silent */
  readonly logger?: Logger | undefined;
}

const who = 'memory transport';
const optionNames: OptionNames<MemoryTransportOptions> = {
  network: true,
  maxBodyBytes: true,
  maxQueuedMessages: true,
  maxQueuedBytes: true,
  closeTimeoutMs: true,
  logger: ['log'],
};

/**
 * Request and response inside one process: the reference for the contract of {@link Transport}.
 *
 * A listener learns of a socket with its first message. Errors: `invalid` for an option.
 */
export function memoryTransport(options: MemoryTransportOptions = {}): Transport {
  new OptionChecks(who).named(options, optionNames);
  return new MemoryTransport(options);
}

class MemoryTransport extends ClosableBase implements Transport {
  readonly name = 'memory';
  readonly supports: TransportFeatures;
  readonly #network: Network;
  readonly #limits: PipeLimits;
  readonly #closeTimeoutMs: number;
  readonly #logger: Logger;
  readonly #members = new Set<Closable>();
  /** Its name as a peer of listeners. */
  #peer: string | undefined;

  constructor({
    network,
    maxBodyBytes = 64 * 1024 * 1024,
    maxQueuedMessages = 10_000,
    maxQueuedBytes = 64 * 1024 * 1024,
    closeTimeoutMs = 10_000,
    logger,
  }: MemoryTransportOptions) {
    super(who);
    checkCount(maxBodyBytes, `${who}: maxBodyBytes`);
    checkCount(maxQueuedMessages, `${who}: maxQueuedMessages`);
    checkCount(maxQueuedBytes, `${who}: maxQueuedBytes`);
    checkCount(closeTimeoutMs, `${who}: closeTimeoutMs`, 0);
    this.supports = Object.freeze({ closeNotice: true, failFast: true, namedAddresses: true, maxBodyBytes });
    this.#network = networkOf(network, who);
    this.#limits = { messages: maxQueuedMessages, bytes: maxQueuedBytes };
    this.#closeTimeoutMs = closeTimeoutMs;
    this.#logger = safeLogger(logger);
  }

  async dial(address: string, options?: DialOptions): Promise<Socket> {
    this.lifetime.assertOpen(options);
    checkName(address, `${who}: address`);
    this.#network.assertReachable(who);
    return this.#network.later(() => this.#own(() => this.#makeSocket(address)));
  }

  async listen(address?: string, options?: ListenOptions): Promise<Listener> {
    this.lifetime.assertOpen(options);
    if (address !== undefined) checkName(address, `${who}: address`);
    this.#network.assertReachable(who);
    return this.#network.later(() => this.#own(() => this.#makeListener(address ?? this.#network.newAddress())));
  }

  protected release(options: AbortOptions): Promise<void> {
    return closeAll(this.#members, options);
  }

  // Checks again, because the transport may have been closed in the turn between.
  #own<T extends Closable>(make: () => T): T {
    this.lifetime.assertOpen();
    const member = make();
    this.#members.add(member);
    void member.closed.then(() => this.#members.delete(member));
    return member;
  }

  #makeListener(address: string): Listener {
    return new MemoryListener({
      network: this.#network,
      address,
      maxBodyBytes: this.supports.maxBodyBytes,
      closeTimeoutMs: this.#closeTimeoutMs,
      logger: this.#logger,
    });
  }

  #makeSocket(remote: string): Socket {
    const network = this.#network;
    const local = network.newAddress();
    const incoming = new Pipe(network, this.#limits, `${who}, ${remote} to ${local}`);
    const outgoing = new Pipe(network, this.#limits, `${who}, ${local} to ${remote}`);
    const connect = () => {
      const listener = network.listeners.get(remote);
      if (!listener?.isAccepting)
        throw new MicroError('unavailable', `${who}: nobody listens on ${remote}`, { retrySafe: true });
      this.#peer ??= network.newAddress();
      listener.connect({ remote: local, peer: this.#peer, incoming: outgoing, outgoing: incoming });
    };
    return new MemorySocket({
      network,
      local,
      remote,
      incoming,
      outgoing,
      maxBodyBytes: this.supports.maxBodyBytes,
      connect,
    });
  }
}
