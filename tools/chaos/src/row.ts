/** What became of a row: the figures in plain words, and whether they are as expected. */
export interface Outcome {
  readonly measured: string;
  readonly ok: boolean;
}

/** How much of it. */
export interface Scale {
  /** How many events a row of stored events has acknowledged. @default what the row says */
  readonly events?: number | undefined;
  /** How long each attack lasts. @default what the row says */
  readonly attackMs?: number | undefined;
  /** How many times as fast as the row says it is. @default 1 */
  readonly attackRate?: number | undefined;
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
