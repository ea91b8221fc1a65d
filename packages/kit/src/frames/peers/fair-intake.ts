import { performance } from 'node:perf_hooks';
import type { DiallingPeer } from './dialling-peer.ts';

const windowMs = 100;
/** What one process may have unanswered while that is so. */
const mostUnanswered = 2048;
/** What one process may always ask in a window: 2000 messages a second. */
const always = 200;
/** So many windows behind, one after the other, are more than a burst. */
const burstWindows = 3;
/** How long one who asked counts as one who asks. */
const asksForMs = 1000;
const less = 0.7;
const more = 1.3;
/** Refusals that are told in a window, 5000 a second, and those that each process is told of whatever others are. */
const mostTold = 500;
const alwaysTold = 250;
/** Processes that are told apart in a window; whoever comes beyond is not limited. */
const mostNames = 10_000;
const messagesBetweenLooks = 8;

/** What becomes of a message: `silent` is refused without a word, as so many were told. */
export type Intake = 'taken' | 'refused' | 'silent';

/** True where messages come faster than they can be read, and so have waited for long when they are. */
export type IsBehind = () => boolean;

class Counts {
  asked = 0;
  told = 0;
}

/**
 * Bounds what each process may ask of a listener that is behind while others ask as well, so that one that asks very
 * much is refused before it costs much, and the others get their part.
 *
 * Being busy is not being behind: processes that wait for their answers may use all that there is. Once it is behind
 * for a third of a second, the bound sinks by a third every tenth of a second, from the most that any process asked
 * down to 2000 messages a second; it grows again afterwards. Whoever asks less is never refused, and nobody is who asks
 * alone. Likewise one that has 2048 messages unanswered is refused more.
 */
export class FairIntake {
  readonly #isBehind: IsBehind;
  readonly #counts = new Map<string, Counts>();
  #endsAt = Number.NEGATIVE_INFINITY;
  #bound = Number.POSITIVE_INFINITY;
  /** In how many windows in a row it was behind. */
  #behind = 0;
  #most = 0;
  #told = 0;
  /** Who asked last, how often, when, and when somebody else did before. */
  #last = '';
  #lastCounts: Counts | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;
  #otherAt = Number.NEGATIVE_INFINITY;
  #now = 0;
  #untilLook = 0;
  #asked = 0;

  constructor(isBehind: IsBehind) {
    this.#isBehind = isBehind;
  }

  /** How many messages have asked for something so far. */
  get asked(): number {
    return this.#asked;
  }

  /**
   * Hears a message of `peer`, and decides on it where it `asks` for something and does not only go on with what was
   * taken; `now` is in milliseconds.
   */
  judge({ name, unanswered }: DiallingPeer, asks: boolean, now: number = this.#coarseNow()): Intake {
    if (now >= this.#endsAt) this.#begin(now);
    if (name !== this.#last) {
      this.#otherAt = this.#lastAt;
      this.#last = name;
      this.#lastCounts = undefined;
    }
    this.#lastAt = now;
    if (!asks) return 'taken';
    this.#asked++;
    this.#lastCounts ??= this.#countsOf(name);
    const counts = this.#lastCounts;
    if (counts === undefined) return 'taken';
    const asked = ++counts.asked;
    if (asked > this.#most) this.#most = asked;
    const isTooMuch = asked > this.#bound || (this.#isLongBehind && unanswered >= mostUnanswered);
    if (!isTooMuch || this.#otherAt < now - asksForMs) return 'taken';
    counts.told++;
    this.#told++;
    return this.#told > mostTold && counts.told > alwaysTold ? 'silent' : 'refused';
  }

  /** To read the clock costs more than all the rest. */
  #coarseNow(): number {
    if (--this.#untilLook < 0) {
      this.#untilLook = messagesBetweenLooks;
      this.#now = performance.now();
    }
    return this.#now;
  }

  #countsOf(name: string): Counts | undefined {
    const known = this.#counts.get(name);
    if (known !== undefined || this.#counts.size >= mostNames) return known;
    const counts = new Counts();
    this.#counts.set(name, counts);
    return counts;
  }

  get #isLongBehind(): boolean {
    return this.#behind >= burstWindows;
  }

  #begin(now: number): void {
    // A long time without a message says that there was little to do.
    const wasBehind = this.#isBehind() && now - this.#endsAt < asksForMs;
    this.#behind = wasBehind ? this.#behind + 1 : 0;
    if (this.#isLongBehind) this.#bound = Math.max(always, Math.min(this.#bound, this.#most) * less);
    else if (!wasBehind) this.#bound = this.#most * 2 < this.#bound ? Number.POSITIVE_INFINITY : this.#bound * more;
    this.#counts.clear();
    this.#lastCounts = undefined;
    this.#most = 0;
    this.#told = 0;
    this.#endsAt = now + windowMs;
  }
}
