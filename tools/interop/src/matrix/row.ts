import type { Stage } from './stage.ts';

/** Who speaks to whom. */
export type Direction = 'ts->go' | 'go->ts' | 'events' | 'registry' | 'command' | 'robustness';

/** One behaviour that must hold with every generation. */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly direction: Direction;
  /** The generations that have what it is about. @default all */
  readonly generations?: readonly string[];
  /** Whether it asks something of NATS itself, or of what only Go Micro's plugins for NATS do. @default false */
  readonly needsNats?: boolean;
  /** @default 90000 */
  readonly withinMs?: number;
  /** Throws where it does not hold. */
  run(stage: Stage): Promise<void>;
}

/** What became of a row with one generation. */
export type Outcome =
  | { readonly kind: 'ok'; readonly ms: number }
  | { readonly kind: 'fail'; readonly ms: number; readonly reason: string }
  | { readonly kind: 'not run'; readonly reason: string };
