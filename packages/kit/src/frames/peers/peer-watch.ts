/** The decision about a peer. */
export type Verdict = 'leave' | 'probe' | 'gone';

/**
 * Tells a quiet peer from a dead one: who is quiet for the idle time is probed, and counts as gone only where no answer
 * comes either.
 *
 * Times are ticks of its clock.
 */
export class PeerWatch {
  readonly #clock: { readonly now: number };
  #heardAt: number;
  #probedAt: number | undefined;

  constructor(clock: { readonly now: number }) {
    this.#clock = clock;
    this.#heardAt = clock.now;
  }

  /** When the peer was heard last. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** The peer was heard. */
  heard(): void {
    this.#heardAt = this.#clock.now;
    this.#probedAt = undefined;
  }

  /** A probe was sent that the peer answers. */
  probed(): void {
    this.#probedAt ??= this.#clock.now;
  }

  /**
   * Judges the peer, where one that is quiet for `idleTicks` is probed, and one that does not answer within
   * `graceTicks` is gone.
   */
  judge(idleTicks: number, graceTicks: number): Verdict {
    const { now } = this.#clock;
    if (this.#probedAt !== undefined) return now - this.#probedAt > graceTicks ? 'gone' : 'leave';
    return now - this.#heardAt > idleTicks ? 'probe' : 'leave';
  }
}
