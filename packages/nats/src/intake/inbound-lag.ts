import { performance } from 'node:perf_hooks';
import type { NatsConnection } from '../connection/connection.ts';

/** So long may a message wait for its reader. */
const mostMs = 250;
const busyShare = 0.97;

/**
 * Finds out whether what comes in is read in time: the server answers a ping behind all that it has for a connection.
 * Pings only while the event loop does not rest, one at a time.
 */
export class InboundLag {
  readonly #connection: Pick<NatsConnection, 'flush'>;
  #use = performance.eventLoopUtilization();
  #pingedAt: number | undefined;
  #lastMs = 0;

  constructor(connection: Pick<NatsConnection, 'flush'>) {
    this.#connection = connection;
  }

  /** True where what comes now has waited for more than 250 ms. To be asked some times a second. */
  isBehind(): boolean {
    const before = this.#use;
    this.#use = performance.eventLoopUtilization();
    if (performance.eventLoopUtilization(this.#use, before).utilization < busyShare) return false;
    const now = performance.now();
    if (this.#pingedAt !== undefined) return now - this.#pingedAt > mostMs;
    this.#pingedAt = now;
    const answered = (ms: number) => {
      this.#pingedAt = undefined;
      this.#lastMs = ms;
    };
    this.#connection.flush().then(
      () => answered(performance.now() - now),
      () => answered(0),
    );
    return this.#lastMs > mostMs;
  }
}
