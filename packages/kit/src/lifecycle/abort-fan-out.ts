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
  readonly #waiting = new Map<AbortSignal, Set<Abortable>>();

  /** How many signals are listened to. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Has `abortable` told when `signal` aborts, which it has not yet. */
  add(signal: AbortSignal, abortable: Abortable): void {
    let waiting = this.#waiting.get(signal);
    if (waiting === undefined) {
      // Before anything is kept, because what is no signal throws here.
      signal.addEventListener('abort', this);
      waiting = new Set();
      this.#waiting.set(signal, waiting);
    }
    waiting.add(abortable);
  }

  /** Leaves `abortable` alone from now on; the listener goes with the last one. */
  delete(signal: AbortSignal, abortable: Abortable): void {
    const waiting = this.#waiting.get(signal);
    if (waiting === undefined || !waiting.delete(abortable) || waiting.size > 0) return;
    this.#waiting.delete(signal);
    signal.removeEventListener('abort', this);
  }

  /** @internal What `addEventListener` calls. */
  handleEvent(event: Event): void {
    const signal = event.target as AbortSignal;
    // A time that is over may be late, where the event loop was blocked: what arrived meanwhile is read first.
    if (abortError(signal, '').code === 'timeout') afterReading(() => this.#tell(signal));
    else this.#tell(signal);
  }

  #tell(signal: AbortSignal): void {
    const waiting = this.#waiting.get(signal);
    this.#waiting.delete(signal);
    signal.removeEventListener('abort', this);
    for (const abortable of waiting ?? []) abortable.onAbort(signal);
  }
}

/** The one of this process, so that whoever waits on a signal shares its listener with everybody else who does. */
export const abortFanOut: AbortFanOut = new AbortFanOut();

/** Turns of the event loop that reading takes: one to read, one for what is answered by it. */
function afterReading(run: () => void): void {
  setImmediate(() => setImmediate(run));
}
