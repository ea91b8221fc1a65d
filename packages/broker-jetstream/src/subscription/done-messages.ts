const most = 65_536;

/**
 * The messages that a member was done with last. A server that is killed forgets deliveries and acknowledgements of a
 * moment before, and sends them again.
 *
 * To note one costs next to nothing; what is looked for is found in an index that is made only then.
 */
export class DoneMessages {
  #recent = new Generation();
  #before = new Generation();

  add(sequence: number, storedAtMs: number): void {
    this.#recent.add(sequence, storedAtMs);
    if (this.#recent.size < most / 2) return;
    this.#before = this.#recent;
    this.#recent = new Generation();
  }

  has(sequence: number, storedAtMs: number): boolean {
    return this.#recent.has(sequence, storedAtMs) || this.#before.has(sequence, storedAtMs);
  }
}

/** The half that is forgotten at once. */
class Generation {
  readonly #sequences: number[] = [];
  readonly #times: number[] = [];
  /** The times of those before `#indexed` by their sequences. */
  readonly #index = new Map<number, number>();
  #indexed = 0;

  get size(): number {
    return this.#sequences.length;
  }

  add(sequence: number, storedAtMs: number): void {
    this.#sequences.push(sequence);
    this.#times.push(storedAtMs);
  }

  has(sequence: number, storedAtMs: number): boolean {
    for (; this.#indexed < this.size; this.#indexed++) {
      this.#index.set(this.#sequences[this.#indexed] as number, this.#times[this.#indexed] as number);
    }
    return this.#index.get(sequence) === storedAtMs;
  }
}
