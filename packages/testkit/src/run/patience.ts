import type { Timing } from '../backend.ts';

const failuresUntilShort = 3;
const shortFactor = 0.1;

/**
 * How long the waits of one contract are: as its author wants them, until three cases have failed for the same cause;
 * then a tenth of it, for a backend that is broken throughout is to say so soon.
 */
export class Patience {
  readonly #timing: Timing;
  readonly #causes = new Map<string, number>();
  #cause: string | undefined;

  constructor(timing: Timing = {}) {
    this.#timing = timing;
  }

  /** Why waits are short now, if they are. */
  get shortBecause(): string | undefined {
    return this.#cause;
  }

  get timing(): Timing {
    if (this.#cause === undefined) return this.#timing;
    return { ...this.#timing, factor: (this.#timing.factor ?? 1) * shortFactor };
  }

  /** Notes why a case failed. */
  note(reason: string): void {
    const cause = causeOf(reason);
    const count = (this.#causes.get(cause) ?? 0) + 1;
    this.#causes.set(cause, count);
    if (count >= failuresUntilShort) this.#cause ??= cause;
  }
}

/** What failures have in common: the words without what differs from case to case. */
function causeOf(reason: string): string {
  if (/still waiting after|not so after/.test(reason)) return 'a wait ran out';
  const [line = ''] = reason.split('\n', 1);
  return line.replace(/\S*\d\S*/g, '#');
}
