import type { Broker, Registry, Transport } from '@ts-micro/core';
import { type MemoryNetwork, memoryBroker, memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import type { Faults, Harness, InterfaceName, Interfaces } from '@ts-micro/testkit';
import { refusing } from './refusing.ts';

// Small, so that what lies beyond a limit is soon reached.
const limits = { maxBodyBytes: 128 * 1024, closeTimeoutMs: 2000 };

/** Where one case takes place: a network with nothing on it yet, and what a mutant may know of it. */
export class World {
  /** How often the network was taken away as by a crash. */
  kills = 0;
  /** How often it was cut for a time. */
  partitions = 0;
  /** How often its links were lost without a word. */
  halfOpens = 0;
  /** How often the server lost its data. */
  losses = 0;
  /** Where another program put bytes. */
  readonly injected: Set<string> = new Set();
  isDown = false;
  /** What the backend lets be counted. */
  readonly counts: Record<string, number> = { connections: 0 };
  readonly #network = memoryNetwork();
  readonly #leaks: (() => unknown)[] = [];
  #waiting: (() => void)[] = [];

  /** One more sound instance on this network, or on one of its own. */
  transport(network: MemoryNetwork = this.#network): Transport {
    return memoryTransport({ ...limits, maxQueuedMessages: 2000, network });
  }

  /** One more sound instance on this network, or on one of its own. */
  broker(network: MemoryNetwork = this.#network): Broker {
    return memoryBroker({ ...limits, network, durable: true });
  }

  /** One more sound instance on this network, or on one of its own. */
  registry(network: MemoryNetwork = this.#network): Registry {
    return memoryRegistry({ network });
  }

  /** What the kit opens backends from: sound ones of this interface, broken by `alter`. */
  harness<I extends InterfaceName>(
    interfaceName: I,
    alter: (sound: Interfaces[I]) => Interfaces[I],
  ): Required<Omit<Harness<I>, typeof Symbol.asyncDispose>> {
    const open: { readonly [K in InterfaceName]: () => Interfaces[K] } = this.#openers();
    const refused = this.#refused();
    return {
      open: () => alter(open[interfaceName]()),
      badCredentials: () => alter(refused[interfaceName]()),
      faults: this.#faults(),
      loseData: async () => {
        this.losses++;
        this.#cut();
        this.#heal();
      },
      inject: async (bytes, place) => {
        this.injected.add(place);
        await this.#inject(interfaceName, bytes, place);
      },
      count: () => ({ ...this.counts }),
    };
  }

  /** Resolves once the network is there. */
  async whenUp(): Promise<void> {
    if (this.isDown) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Notes what a mutant leaves behind, so that it is gone before the next case. */
  leak(release: () => unknown): void {
    this.#leaks.push(release);
  }

  /** Releases what was left behind. */
  async end(): Promise<void> {
    await Promise.all(this.#leaks.map((release) => release()));
  }

  #openers(): { readonly [K in InterfaceName]: () => Interfaces[K] } {
    return { transport: () => this.transport(), broker: () => this.broker(), registry: () => this.registry() };
  }

  #refused(): { readonly [K in InterfaceName]: () => Interfaces[K] } {
    return {
      transport: () => refusing(this.transport(), ['dial', 'listen']),
      broker: () => refusing(this.broker(), ['connect', 'publish', 'subscribe']),
      registry: () => refusing(this.registry(), ['register', 'getService', 'listServices']),
    };
  }

  /** What stands for bytes here: a message with them as its body. A registry in memory has no place for them. */
  async #inject(interfaceName: InterfaceName, bytes: Uint8Array, place: string): Promise<void> {
    const message = { headers: {}, body: bytes };
    if (interfaceName === 'broker') {
      await using broker = this.broker();
      if (bytes.length <= broker.supports.maxBodyBytes) await broker.publish(place, message);
    } else if (interfaceName === 'transport') {
      await using transport = this.transport();
      const socket = await transport.dial(place);
      if (bytes.length <= transport.supports.maxBodyBytes) await socket.send(message);
    }
  }

  #faults(): Faults {
    return {
      kill: async () => {
        this.kills++;
        this.#cut();
      },
      restart: async () => this.#heal(),
      halfOpen: async () => {
        this.halfOpens++;
      },
      partition: async (ms) => {
        this.partitions++;
        this.#cut();
        await new Promise((resolve) => setTimeout(resolve, ms));
        this.#heal();
      },
    };
  }

  #cut(): void {
    this.isDown = true;
    this.#network.partition();
  }

  #heal(): void {
    this.isDown = false;
    this.#network.heal();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
