const headSize = 40;
const tailSize = 160;

/** The messages sent and received during one case: its first and last lines, for the report of a failure. */
export class Trace {
  readonly #started = performance.now();
  readonly #head: string[] = [];
  readonly #tail: string[] = [];
  #dropped = 0;

  add(line: string): void {
    const stamped = `${(performance.now() - this.#started).toFixed(1).padStart(8)} ms  ${line}`;
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
