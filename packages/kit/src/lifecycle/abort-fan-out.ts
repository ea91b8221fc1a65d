import { abortError } from '@ts-micro/core';

/** Something that an `AbortSignal` may end. */
export interface Abortable {
  /** Called once, when `signal` aborts; must not throw. */
  onAbort(signal: AbortSignal): void;
}

/**
 * Has any number of waits end with a signal, with one listener at it: a signal shared by many calls at once is usual,
 * and past ten listeners Node warns of a leak.
 */
export class AbortFanOut {
  readonly #followed = new Map<AbortSignal, Followed>();

  /** How many signals are listened to. */
  get size(): number {
    return this.#followed.size;
  }

  /** Has `abortable` told when `signal` aborts, which it has not yet. Never throws, whatever the signal is made of. */
  add(signal: AbortSignal, abortable: Abortable): void {
    let followed = this.#followed.get(signal);
    if (followed === undefined) {
      // A function, and not by the event's target: signals of other packages may know no more than that.
      followed = { waiting: new Set(), onAbort: () => this.#aborted(signal) };
      this.#followed.set(signal, followed);
      listen(signal, followed.onAbort);
    }
    followed.waiting.add(abortable);
  }

  /** Leaves `abortable` alone from now on; the listener goes with the last one. Never throws. */
  delete(signal: AbortSignal, abortable: Abortable): void {
    const followed = this.#followed.get(signal);
    if (followed === undefined || !followed.waiting.delete(abortable) || followed.waiting.size > 0) return;
    this.#followed.delete(signal);
    leave(signal, followed.onAbort);
  }

  #aborted(signal: AbortSignal): void {
    // A time that is over may be late, where the event loop was blocked: what arrived meanwhile is read first.
    if (abortError(signal, '').code === 'timeout') afterReading(() => this.#tell(signal));
    else this.#tell(signal);
  }

  #tell(signal: AbortSignal): void {
    const followed = this.#followed.get(signal);
    if (followed === undefined) return;
    this.#followed.delete(signal);
    leave(signal, followed.onAbort);
    for (const abortable of followed.waiting) abortable.onAbort(signal);
  }
}

/** A signal that is listened to. */
interface Followed {
  readonly waiting: Set<Abortable>;
  readonly onAbort: () => void;
}

function listen(signal: AbortSignal, onAbort: () => void): void {
  try {
    signal.addEventListener('abort', onAbort);
  } catch {
    // One of the user's own making, that tells nobody when it aborts.
  }
}

function leave(signal: AbortSignal, onAbort: () => void): void {
  try {
    signal.removeEventListener('abort', onAbort);
  } catch {
    // As above: what waited for it has ended all the same.
  }
}

/** The one of this process, so that whoever waits on a signal shares its listener with everybody else who does. */
export const abortFanOut: AbortFanOut = new AbortFanOut();

/** Turns of the event loop that reading takes: one to read, one for what is answered by it. */
function afterReading(run: () => void): void {
  setImmediate(() => setImmediate(run));
}
