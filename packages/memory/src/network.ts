import { setImmediate } from 'node:timers';
import { MicroError } from '@ts-micro/core';
import { LeaseTable } from '@ts-micro/kit';
import { Topics } from './broker/topics.ts';
import type { MemoryNetwork } from './memory-network.ts';
import type { MemoryListener } from './transport/memory-listener.ts';

/** The inside of a {@link MemoryNetwork}: where plugins meet. */
export class Network implements MemoryNetwork {
  /** The listeners, by address. */
  readonly listeners: Map<string, MemoryListener> = new Map();
  readonly topics: Topics = new Topics();
  readonly services: LeaseTable = new LeaseTable();
  #isPartitioned = false;
  #addresses = 0;
  #work: (() => void)[] = [];

  partition(): void {
    this.#isPartitioned = true;
    this.services.mute();
  }

  heal(): void {
    this.#isPartitioned = false;
    this.services.unmute();
  }

  /** Throws `unavailable` during a partition. */
  assertReachable(who: string): void {
    if (!this.#isPartitioned) return;
    throw new MicroError('unavailable', `${who}: the network is partitioned`, { retrySafe: true });
  }

  /** An address that nobody listens on. */
  newAddress(): string {
    let address: string;
    do address = `memory:${++this.#addresses}`;
    while (this.listeners.has(address));
    return address;
  }

  /**
   * Does `work` in a later turn of the event loop, in the order of the calls; resolves with its outcome.
   *
   * Everything that crosses the network does so this way. So nobody's code runs inside a caller's stack, and a loop of
   * calls leaves timers and sockets their turn, as it would over a wire.
   */
  later<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // The import, unlike the global, is real even where a test fakes timers.
      if (this.#work.length === 0) setImmediate(() => this.#workOff());
      this.#work.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #workOff(): void {
    const batch = this.#work;
    this.#work = [];
    for (const work of batch) work();
  }
}
