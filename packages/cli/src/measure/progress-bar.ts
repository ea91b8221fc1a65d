import type { Terminal } from '../terminal/terminal.ts';

const width = 30;
const everyMs = 100;

/** A bar on one line of `err`, where a person looks at it. */
export class ProgressBar {
  readonly #terminal: Terminal;
  readonly #total: number;
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(terminal: Terminal, total: number) {
    this.#terminal = terminal;
    this.#total = total;
  }

  /** Shows how many are done; at most ten times a second. */
  show(done: number): void {
    if (!this.#terminal.isErrTerminal || performance.now() - this.#shownAt < everyMs) return;
    this.#shownAt = performance.now();
    const filled = Math.round((done / this.#total) * width);
    this.#terminal.err.write(`\r[${'█'.repeat(filled)}${'·'.repeat(width - filled)}] ${done}/${this.#total}`);
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#terminal.isErrTerminal) this.#terminal.err.write('\r\u001b[K');
  }
}
