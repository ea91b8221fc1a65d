import type { Broker, Registry, Transport } from '@ts-micro/core';
import { type MemoryNetwork, memoryBroker, memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import type { Faults, Harness, InterfaceName, Interfaces } from '@ts-micro/testkit';

// Small, so that what lies beyond a limit is soon reached.
const limits = { maxBodyBytes: 128 * 1024, closeTimeoutMs: 2000 };

/** Where one case takes place: a network with nothing on it yet, and what a mutant may know of it. */
export class World {
  /** How often the network was taken away as by a crash. */
  kills = 0;
  /** How often it was cut for a time. */
  partitions = 0;
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
  ): Required<Pick<Harness<I>, 'open' | 'faults' | 'count'>> {
    const open: { readonly [K in InterfaceName]: () => Interfaces[K] } = this.#openers();
    return { open: () => alter(open[interfaceName]()), faults: this.#faults(), count: () => ({ ...this.counts }) };
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

  #faults(): Faults {
    return {
      kill: async () => {
        this.kills++;
        this.#cut();
      },
      restart: async () => this.#heal(),
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
