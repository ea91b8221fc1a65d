/** What became of a row: the figures in plain words, and whether they are as expected. */
export interface Outcome {
  readonly measured: string;
  readonly ok: boolean;
}

/** How much of it. */
export interface Scale {
  /** How many events a row of stored events has acknowledged. @default what the row says */
  readonly events?: number | undefined;
}

/**
 * One fault: what it is, what a user must see, and how it is tried. `run` starts and ends all it needs; what it throws
 * counts as not ok.
 */
export interface Row {
  readonly id: string;
  readonly fault: string;
  readonly expected: string;
  run(scale: Scale): Promise<Outcome>;
}
