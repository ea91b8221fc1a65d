import type { BareMessage, BareNats } from '../bare-nats.ts';

/**
 * Records every message of a server, in the order the server routed them.
 *
 * While it runs every subject has a subscriber, so nobody is ever told "no responders".
 */
export class WireTap {
  readonly messages: BareMessage[] = [];
  #lastAt = Date.now();

  static async start(bare: BareNats): Promise<WireTap> {
    const tap = new WireTap();
    bare.subscribe('>', (message) => {
      tap.messages.push(message);
      tap.#lastAt = Date.now();
    });
    await bare.flush();
    return tap;
  }

  /** Waits until nothing was said for `quietMs`, at most `waitMs`. */
  async quiet(quietMs = 250, waitMs = 10_000): Promise<void> {
    const started = Date.now();
    const deadline = started + waitMs;
    for (;;) {
      const sinceMs = Date.now() - Math.max(this.#lastAt, started);
      if (sinceMs >= quietMs || Date.now() >= deadline) return;
      await new Promise((resolve) => setTimeout(resolve, quietMs - sinceMs));
    }
  }
}
