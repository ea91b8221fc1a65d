/** How many subscriptions may have all that waits of the broker. */
const pendingShare = 8;
const leastShare = 1 / 64;

/**
 * Bounds what the subscriptions of a broker hold together that no handler has yet. What they do not take stays in its
 * stream, so one that has its part only asks for no more.
 *
 * Beyond the bound a subscription still may have a 64th of its own: slow ones that have taken everything do not end the
 * others.
 */
export class PendingBytes {
  /** In bytes, of all of them together. */
  readonly limit: number;
  readonly #each: number;
  readonly #least: number;
  readonly #holders = new Set<PendingPart>();
  #used = 0;

  /** `each` is what one subscription may hold, in bytes: eight times as much is for all of them. */
  constructor(each: number) {
    this.#each = each;
    this.limit = pendingShare * each;
    this.#least = Math.max(1, Math.floor(each * leastShare));
  }

  /** How many bytes are held. */
  get used(): number {
    return this.#used;
  }

  /** What one subscription may hold now, in bytes. */
  get most(): number {
    return this.#used < this.limit ? this.#each : this.#least;
  }

  /** An equal part for each: of those that cannot leave what they asked for. */
  get equalPart(): number {
    return Math.max(this.#least, Math.min(this.#each, Math.floor(this.limit / this.#holders.size)));
  }

  /** Returns what one subscription holds, nothing at first. */
  part(): PendingPart {
    const part = new PendingPart(this);
    this.#holders.add(part);
    return part;
  }

  /** Of {@link PendingPart}: so many more, or less. */
  count(bytes: number): void {
    this.#used += bytes;
  }

  /** Of {@link PendingPart}: it holds none any more. */
  leave(part: PendingPart): void {
    this.#holders.delete(part);
  }
}

/** What one subscription holds of {@link PendingBytes}. */
export class PendingPart {
  readonly all: PendingBytes;
  #bytes = 0;
  #isReleased = false;

  /** As {@link PendingBytes.part}. */
  constructor(all: PendingBytes) {
    this.all = all;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Holds so many more, or less. Does nothing once it is released. */
  count(bytes: number): void {
    if (this.#isReleased) return;
    this.#bytes += bytes;
    this.all.count(bytes);
  }

  /** Gives all back, at the end of the subscription. */
  release(): void {
    this.count(-this.#bytes);
    this.#isReleased = true;
    this.all.leave(this);
  }
}
