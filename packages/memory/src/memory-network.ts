import { MicroError } from '@ts-micro/core';
import { Network } from './network.ts';

/**
 * A network inside one process. Plugins given the same one share it, those given different ones never meet, and tests
 * break it.
 */
export interface MemoryNetwork {
  /**
   * Takes the network away: every call that needs it rejects with `unavailable`, safe to retry, and watchers hear of
   * nothing. What was handed over before still arrives, and closing goes on working.
   */
  partition(): void;
  /** Gives the network back: open sockets and subscriptions carry on, and every watcher gets a `resync`. */
  heal(): void;
}

/** Makes a network of its own, as a test wants it that must not meet others. */
export function memoryNetwork(): MemoryNetwork {
  return new Network();
}

const processNetwork = new Network();

/** The inside of `network`, or of the one that everybody in this process shares. */
export function networkOf(network: MemoryNetwork | undefined, who: string): Network {
  if (network === undefined) return processNetwork;
  if (network instanceof Network) return network;
  throw new MicroError('invalid', `${who}: network was not made by memoryNetwork()`);
}
