import type { AbortOptions } from '@ts-micro/core';
import { abortable, bounded } from '@ts-micro/kit';

/** How long a check may take that is not done at once, where nobody says how long a call may. */
export const mostCheckMs = 5000;

/** What a wait ends with: the options of a call, the context of a handler. */
export type Limits = readonly (AbortOptions | undefined)[];

/**
 * Waits for a check that is not done at once no longer than whom it is done for, and `boundMs` at the most: a validator
 * may ask somebody who never answers.
 */
export function inTime<T>(checking: Promise<T>, limits: Limits, what: string, boundMs?: number): Promise<T> {
  const waiting = limits.reduce<Promise<T>>(
    (wait, limit) => abortable(wait, limit?.signal, what),
    // Of any make, where a validator makes one of the value.
    Promise.resolve(checking),
  );
  return boundMs === undefined ? waiting : bounded(waiting, {}, boundMs, what);
}
