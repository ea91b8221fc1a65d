const firstBackoffMs = 1000;
const longestBackoffMs = 30_000;
/** How long an address is left alone that says itself that it has too much to do. */
const restMs = 100;
/** A node that behaved for this long after its back-off starts over at the first one. */
const forgetAfterMs = 60_000;

interface Entry {
  failedAtMs: number;
  /** When the present back-off began. */
  outAtMs: number;
  backoffMs: number;
  untilMs: number;
}

/**
 * The addresses that failed lately, kept out of selection until their back-off is over: one second, doubled with each
 * further failure up to thirty. Then one call at a time tries the address, until an answer clears it or a failure puts
 * it back.
 */
export class OutlierEjection {
  readonly #entries = new Map<string, Entry>();
  readonly #limit: number;
  /** When none of them matters any more. */
  #forgetAtMs = 0;

  /** Remembers at most `limit` addresses, the oldest forgotten first. @default 10000 */
  constructor(limit: number = 10_000) {
    this.#limit = limit;
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  /** False where there is nothing to ask for: the usual case. */
  isInUse(nowMs: number): boolean {
    if (this.#entries.size > 0 && nowMs > this.#forgetAtMs) this.#entries.clear();
    return this.#entries.size > 0;
  }

  /**
   * Notes a failure of an exchange that began at `beganAtMs`. Those that began before the last failure tell nothing
   * new.
   */
  fail(address: string, beganAtMs: number, nowMs: number): void {
    const known = this.#entries.get(address);
    if (known === undefined || nowMs > known.outAtMs + known.backoffMs + forgetAfterMs) {
      this.#put(address, firstBackoffMs, nowMs);
    } else if (beganAtMs >= known.failedAtMs) {
      // Within its back-off an address is used only when there is no other: that says nothing about how long it takes
      // to come back.
      if (nowMs < known.outAtMs + known.backoffMs && known.backoffMs > restMs) known.failedAtMs = nowMs;
      else this.#put(address, Math.max(firstBackoffMs, Math.min(known.backoffMs * 2, longestBackoffMs)), nowMs);
    }
  }

  /** Leaves an address alone for a moment: it refused a request in words, so it is there and no failure. */
  rest(address: string, nowMs: number): void {
    this.#put(address, restMs, nowMs);
  }

  /** Forgets an address: it answered, or the registry said something new about it. */
  clear(address: string): void {
    this.#entries.delete(address);
  }

  isOut(address: string, nowMs: number): boolean {
    const entry = this.#entries.get(address);
    return entry !== undefined && nowMs < entry.untilMs;
  }

  /** Notes that an address is being tried now: others leave it alone meanwhile. */
  tries(address: string, nowMs: number): void {
    const entry = this.#entries.get(address);
    if (entry !== undefined && nowMs >= entry.untilMs) entry.untilMs = nowMs + entry.backoffMs;
  }

  /** When an address last failed; 0 where it is not remembered. */
  failedAtMs(address: string): number {
    return this.#entries.get(address)?.failedAtMs ?? 0;
  }

  #put(address: string, backoffMs: number, nowMs: number): void {
    // Deleted first, so that the map stays in the order of failing.
    this.#entries.delete(address);
    this.#entries.set(address, { failedAtMs: nowMs, outAtMs: nowMs, backoffMs, untilMs: nowMs + backoffMs });
    this.#forgetAtMs = Math.max(this.#forgetAtMs, nowMs + backoffMs + forgetAfterMs);
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value as string);
  }
}
