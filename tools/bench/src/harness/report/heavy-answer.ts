import { setTimeout as pause } from 'node:timers/promises';
import { answer, type Sample } from './sample.ts';

/** What a heavy answer takes of the processor's time. */
const heavyMs = 1;

/** The answer after a millisecond of work, so that the server is what limits the calls a second. */
export function heavyAnswer(request: Sample): Sample {
  const end = performance.now() + heavyMs;
  while (performance.now() < end);
  return answer(request);
}

/** How long a slow answer takes. */
const slowMs = 20;

/** The answer after a wait, as for another server, so that the handlers that may run at once are what limits it. */
export async function slowAnswer(request: Sample): Promise<Sample> {
  await pause(slowMs);
  return answer(request);
}
