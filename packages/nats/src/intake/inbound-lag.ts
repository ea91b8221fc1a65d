import { performance } from 'node:perf_hooks';
import type { NatsConnection } from '../connection/connection.ts';

/** So long may a message wait for its reader. */
const mostMs = 250;
const busyShare = 0.97;
/**
 * So many requests may wait besides: where the processor is short, those of clients that wait for their answers wait
 * for long as well, and are no flood.
 */
const mostWaiting = 1024;

/**
 * Finds out whether what comes in is read in time: the server answers a ping behind all that it has for a connection.
 * Pings only while the event loop does not rest, one at a time.
 */
export class InboundLag {
  readonly #connection: Pick<NatsConnection, 'flush'>;
  readonly #asked: () => number;
  #use = performance.eventLoopUtilization();
  #pingedAt: number | undefined;
  #askedBefore = 0;
  #wasBehind = false;

  /** `asked` tells how many requests have come so far. */
  constructor(connection: Pick<NatsConnection, 'flush'>, asked: () => number) {
    this.#connection = connection;
    this.#asked = asked;
  }

  /**
   * True where what comes now has waited for more than 250 ms, and more than 1024 requests with it. To be asked some
   * times a second.
   */
  isBehind(): boolean {
    const before = this.#use;
    this.#use = performance.eventLoopUtilization();
    if (performance.eventLoopUtilization(this.#use, before).utilization < busyShare) return false;
    const now = performance.now();
    if (this.#pingedAt !== undefined) return this.#isMuch(now - this.#pingedAt);
    this.#pingedAt = now;
    this.#askedBefore = this.#asked();
    const answered = (ms: number) => {
      this.#pingedAt = undefined;
      this.#wasBehind = this.#isMuch(ms);
    };
    this.#connection.flush().then(
      () => answered(performance.now() - now),
      () => answered(0),
    );
    return this.#wasBehind;
  }

  /** Whether what came before the answer to a ping is too much, once that has taken so long. */
  #isMuch(ms: number): boolean {
    return ms > mostMs && this.#asked() - this.#askedBefore > mostWaiting;
  }
}
