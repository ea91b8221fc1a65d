/** What one try of the doctor came to. */
export interface Finding {
  /** What was tried: `connection`. */
  readonly about: string;
  /** `skipped` where an earlier failure made the try pointless. */
  readonly verdict: 'good' | 'doubtful' | 'bad' | 'skipped';
  /** What was seen. */
  readonly words: string;
  /** What to do about it. */
  readonly advice?: string | undefined;
}
