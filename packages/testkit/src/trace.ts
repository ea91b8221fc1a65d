const headSize = 40;
const tailSize = 160;
const shownCalls = 5;

/** The messages sent and received during one case: its first and last lines, for the report of a failure. */
export class Trace {
  readonly #started = performance.now();
  readonly #head: string[] = [];
  readonly #tail: string[] = [];
  #dropped = 0;
  #lastMs = this.#started;
  #openAtFailure: readonly string[] | undefined;

  readonly #open = new Map<symbol, { readonly line: string; readonly since: number }>();

  /** Notes a call that is made; what it returns notes that it has settled. */
  begin(line: string): () => void {
    const call = Symbol();
    this.#open.set(call, { line, since: performance.now() });
    this.add(line);
    return () => this.#open.delete(call);
  }

  /** Notes which calls have not settled now that the case has failed; what comes of them later does not count. */
  noteFailure(): void {
    const now = performance.now();
    const open = [...this.#open.values()];
    const lines = open.slice(0, shownCalls).map(({ line, since }) => `${line}, for ${Math.round(now - since)} ms`);
    if (open.length > shownCalls) lines.push(`${open.length - shownCalls} more calls`);
    this.#openAtFailure ??= lines;
  }

  /** The calls that had not settled when the case failed, the longest first. */
  get openAtFailure(): readonly string[] {
    return this.#openAtFailure ?? [];
  }

  /** Forgets what was noted: what comes now is a story of its own. */
  restart(): void {
    this.#head.length = 0;
    this.#tail.length = 0;
    this.#dropped = 0;
  }

  /** When the last line was noted, as `performance.now()` has it. */
  get lastMs(): number {
    return this.#lastMs;
  }

  add(line: string): void {
    this.#lastMs = performance.now();
    const stamped = `${(this.#lastMs - this.#started).toFixed(1).padStart(8)} ms  ${line}`;
    if (this.#head.length < headSize) {
      this.#head.push(stamped);
      return;
    }
    this.#tail.push(stamped);
    if (this.#tail.length > tailSize) {
      this.#tail.shift();
      this.#dropped++;
    }
  }

  lines(): readonly string[] {
    const gap = this.#dropped > 0 ? [`             ... ${this.#dropped} lines left out ...`] : [];
    return [...this.#head, ...gap, ...this.#tail];
  }
}
