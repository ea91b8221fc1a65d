import { pause } from '@ts-micro/kit';
import type { Session } from './session.ts';

/** When a command that goes on by itself is over. */
export interface Over {
  /** Aborts when it is over. */
  readonly signal: AbortSignal;
  /** Resolves when it is over. */
  readonly reached: Promise<void>;
  /** Says that it is over now. */
  end(): void;
}

/** Runs `work` until it says so itself, `forMs` have passed, or Ctrl-C, which is how such a command ends well. */
export async function untilOver(
  { signal }: Session,
  forMs: number | undefined,
  work: (over: Over) => Promise<void>,
): Promise<void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  const reached = new Promise<void>((resolve) => ended.signal.addEventListener('abort', () => resolve()));
  if (signal.aborted) end();
  signal.addEventListener('abort', end);
  if (forMs !== undefined) void pause(forMs, { signal: ended.signal }).then(end);
  try {
    await work({ signal: ended.signal, reached, end });
  } catch (error) {
    if (!ended.signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', end);
    ended.abort();
  }
}
