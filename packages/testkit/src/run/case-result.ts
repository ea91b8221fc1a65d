import type { Level } from './levels.ts';

/** How one case ended. Plain data, for JSON. */
export interface CaseResult {
  readonly id: string;
  readonly title: string;
  readonly subject: string;
  readonly level: Level;
  /**
   * - `passed` the contract is kept
   * - `failed` it is not, or a case listed as known failing passes
   * - `knownFailing` it is not, as its author said
   * - `notSupported` the backend lacks what the case needs, and refuses it as it must
   * - `notRun` the author gave nothing to run it with
   */
  readonly status: 'passed' | 'failed' | 'knownFailing' | 'notSupported' | 'notRun';
  readonly ms: number;
  /** Why it is not `passed`, in one line. */
  readonly reason?: string | undefined;
  /** The error's stack. */
  readonly details?: string | undefined;
  /** The calls that had not settled when a wait ran out, the longest first. */
  readonly open?: readonly string[] | undefined;
  /** The messages sent and received until it failed. */
  readonly trace?: readonly string[] | undefined;
}
