import type { Arena } from '../harness/arena.ts';
import type { Table } from '../harness/report/table.ts';
import type { Settings } from '../harness/settings.ts';
import type { Outcome } from '../harness/target.ts';

/** What a workload has to work with. */
export interface Bench {
  readonly settings: Settings;
  /** The contenders' arena, shared by the workloads that compare them. */
  arena(): Promise<Arena>;
  /** Says on stderr how far it is. */
  progress(text: string): void;
}

export interface WorkloadResult {
  readonly tables: readonly Table[];
  readonly outcomes: readonly Outcome[];
  /** What else a reader must know. */
  readonly notes?: readonly string[] | undefined;
}

export interface Workload {
  /** How it is asked for on the command line. */
  readonly name: string;
  readonly title: string;
  run(bench: Bench): Promise<WorkloadResult>;
}
