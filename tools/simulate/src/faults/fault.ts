/** A fault put back into the runtime on purpose: exact texts, which fail loudly where the sources have changed. */
export interface Fault {
  readonly name: string;
  /** What a user would meet. */
  readonly symptom: string;
  readonly changes: readonly Change[];
}

interface Change {
  /** From the root of the repository. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}
