import type { Fault } from './fault.ts';

/** What went wrong in the runtime once, each put back by a few words. */
export const faults: readonly Fault[] = [];
