import type { AcceptedEnd } from './accepted-end.ts';

/** Sockets whose first message has not come whole: more would only be somebody's flood of first chunks. */
const maxOpening = 4096;

/** How many at a time make room for others, so that a flood does not look for the idlest again and again. */
const shedAtOnce = 1024;

/**
 * The accepted ends of one listener.
 *
 * Those whose first message is still incomplete have no handler and do not count as running; where they are too many,
 * the one whose last bytes came longest ago goes.
 */
export class AcceptedEnds {
  /** By the dialler's reply subject; those that are known to have no further message are in `running` only. */
  readonly #byRemote = new Map<string, AcceptedEnd>();
  /** In the order in which their last bytes came. */
  readonly #opening = new Set<AcceptedEnd>();
  /** Those whose handler runs. */
  readonly running: Set<AcceptedEnd> = new Set();

  /** All that further messages can come to. */
  get known(): Iterable<AcceptedEnd> {
    return this.#byRemote.values();
  }

  /** How many there are, with and without a handler. */
  get size(): number {
    return this.running.size + this.#opening.size;
  }

  get(remote: string): AcceptedEnd | undefined {
    return this.#byRemote.get(remote);
  }

  /** Takes a new one whose first message has not come whole; returns one that has to go for it. */
  open(end: AcceptedEnd): AcceptedEnd | undefined {
    if (end.remote !== '') this.#byRemote.set(end.remote, end);
    this.#opening.add(end);
    if (this.#opening.size <= maxOpening) return undefined;
    const [idlest] = this.#opening;
    return idlest;
  }

  /** More of it came; returns true where that was its first message, and its handler is to run. */
  progressed(end: AcceptedEnd): boolean {
    if (!this.#opening.delete(end)) return false;
    if (end.hasMessage) this.running.add(end);
    else this.#opening.add(end);
    return end.hasMessage;
  }

  /** No further message is expected for it. */
  forget(end: AcceptedEnd): void {
    // A later message with the same reply subject may have made another one.
    if (this.#byRemote.get(end.remote) === end) this.#byRemote.delete(end.remote);
    this.#opening.delete(end);
  }

  /** Returns the idlest of those at rest: nothing of theirs waits for an answer, and nothing came since `before`. */
  idlest(before: number): readonly AcceptedEnd[] {
    const idle = [...this.#byRemote.values()].filter((end) => end.isAtRest && end.lastActive < before);
    return idle.sort((one, other) => one.lastActive - other.lastActive).slice(0, shedAtOnce);
  }
}
