import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Sample, sample } from './sample.ts';

const batch = 100;

/**
 * Sends the samples from 0 up to `count`. After every hundred it waits for what `send` returned and for a turn of the
 * event loop, so that each contender gets to write and none piles up everything first.
 */
export async function sendSamples(count: number, send: (sample: Sample) => unknown): Promise<void> {
  let pending: unknown[] = [];
  for (let serial = 0; serial < count; serial++) {
    const sent = send(sample(serial));
    if (sent !== undefined) pending.push(sent);
    if (serial % batch < batch - 1) continue;
    if (pending.length > 0) await Promise.all(pending);
    pending = [];
    await nextTurn();
  }
  await Promise.all(pending);
}
