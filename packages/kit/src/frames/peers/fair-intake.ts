import { performance } from 'node:perf_hooks';
import type { DiallingPeer } from './dialling-peer.ts';

const windowMs = 100;
/** What one process may have unanswered while that is so. */
const mostUnanswered = 2048;
/** What one process may always ask in a window: 2000 messages a second. */
const always = 200;
/** So many busy windows, one after the other, are more than a burst. */
const burstWindows = 5;
/** How long one who asked counts as one who asks. */
const asksForMs = 1000;
const busyShare = 0.97;
const less = 0.7;
const more = 1.3;
/** Refusals that are told in a window: 5000 a second. */
const mostTold = 500;
/** Processes that are told apart in a window; whoever comes beyond is not limited. */
const mostNames = 10_000;

/** What becomes of a message: `silent` is refused without a word, as so many were told. */
export type Intake = 'taken' | 'refused' | 'silent';

/** How busy this process was in the window that has ended: the share of the time in which it waited for nothing. */
export type Utilization = () => number;

/**
 * Bounds what each process may ask of a listener while that is busy and others ask as well, so that one that asks very
 * much is refused before it costs much, and the others get their part.
 *
 * Once the event loop has not rested for half a second, the bound sinks by a third every tenth of a second, from the
 * most that any process asked down to 2000 messages a second; it grows again while there is time. Whoever asks less is
 * never refused, and nobody is who asks alone. Likewise one that has 2048 messages unanswered is refused more.
 */
export class FairIntake {
  readonly #utilization: Utilization;
  readonly #asked = new Map<string, number>();
  #endsAt = Number.NEGATIVE_INFINITY;
  #bound = Number.POSITIVE_INFINITY;
  /** How many windows in a row were busy. */
  #busy = 0;
  #most = 0;
  #told = 0;
  /** Who asked last, when, and when somebody else did before. */
  #last = '';
  #lastAt = Number.NEGATIVE_INFINITY;
  #otherAt = Number.NEGATIVE_INFINITY;

  constructor(utilization: Utilization = utilizationOfLoop()) {
    this.#utilization = utilization;
  }

  /**
   * Hears a message of `peer`, and decides on it where it `asks` for something and does not only go on with what was
   * taken; `now` is in milliseconds.
   */
  judge({ name, unanswered }: DiallingPeer, asks: boolean, now: number = performance.now()): Intake {
    if (now >= this.#endsAt) this.#begin(now);
    if (name !== this.#last) {
      this.#otherAt = this.#lastAt;
      this.#last = name;
    }
    this.#lastAt = now;
    if (!asks) return 'taken';
    const before = this.#asked.get(name);
    if (before === undefined && this.#asked.size >= mostNames) return 'taken';
    const asked = (before ?? 0) + 1;
    this.#asked.set(name, asked);
    if (asked > this.#most) this.#most = asked;
    const isTooMuch = asked > this.#bound || (this.#isBusy && unanswered >= mostUnanswered);
    if (!isTooMuch || this.#otherAt < now - asksForMs) return 'taken';
    return ++this.#told > mostTold ? 'silent' : 'refused';
  }

  get #isBusy(): boolean {
    return this.#busy >= burstWindows;
  }

  #begin(now: number): void {
    // A long time without a message says that there was little to do.
    const wasBusy = this.#utilization() > busyShare && now - this.#endsAt < asksForMs;
    this.#busy = wasBusy ? this.#busy + 1 : 0;
    if (this.#isBusy) this.#bound = Math.max(always, Math.min(this.#bound, this.#most) * less);
    else if (!wasBusy) this.#bound = this.#most * 2 < this.#bound ? Number.POSITIVE_INFINITY : this.#bound * more;
    this.#asked.clear();
    this.#most = 0;
    this.#told = 0;
    this.#endsAt = now + windowMs;
  }
}

function utilizationOfLoop(): Utilization {
  let use = performance.eventLoopUtilization();
  return () => {
    const before = use;
    use = performance.eventLoopUtilization();
    return performance.eventLoopUtilization(use, before).utilization;
  };
}
