import { answer, type Sample } from './sample.ts';

/** What a heavy answer takes of the processor's time. */
const heavyMs = 1;

/** The answer after a millisecond of work, so that the server is what limits the calls a second. */
export function heavyAnswer(request: Sample): Sample {
  const end = performance.now() + heavyMs;
  while (performance.now() < end);
  return answer(request);
}
