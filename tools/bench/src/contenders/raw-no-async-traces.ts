import type { Contender } from './contender.ts';
import { rawNats } from './raw.ts';

/** `request()` without the stack traces that the `nats` client takes of every call by default. */
export const contender: Contender = rawNats({ noAsyncTraces: true });
