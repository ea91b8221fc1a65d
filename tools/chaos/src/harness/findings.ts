import type { Outcome } from '../row.ts';

/** What a row measures, piece by piece. */
export class Findings {
  readonly #texts: string[] = [];
  #ok = true;

  /** A figure for the reader. */
  note(text: string): void {
    this.#texts.push(text);
  }

  /** A figure that decides; marked where it is not as expected. */
  must(holds: boolean, text: string): void {
    this.#texts.push(holds ? text : `NOT AS EXPECTED: ${text}`);
    this.#ok &&= holds;
  }

  get outcome(): Outcome {
    return { measured: this.#texts.join('; '), ok: this.#ok };
  }
}
