import { setTimeout as pause } from 'node:timers/promises';
import type { ContenderClient } from '../contenders/contender.ts';
import { clockMs } from './clock.ts';
import { checkAnswer, sample } from './report/sample.ts';
import { quantile } from './report/statistics.ts';

/** Calls that begin at a fixed rate, whatever becomes of those before. */
export interface LoadPlan {
  /** Of a millisecond of the server's processor, or of next to nothing. */
  readonly calls: 'heavy' | 'light';
  readonly ratePerSecond: number;
  readonly durationMs: number;
}

export interface LoadResult {
  readonly offered: number;
  /** Answered before the caller gave up, after {@link patienceMs}. */
  readonly inTime: number;
  /** How long calls began. */
  readonly elapsedMs: number;
  /** From the time at which a call was due to its answer, of those in time. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** How long a caller waits for a heavy answer. */
export const patienceMs = 500;

/** Offers the load and counts the answers in time; resolves once every call has ended. */
export async function offerLoad(client: ContenderClient, plan: LoadPlan): Promise<LoadResult> {
  const callOnce = plan.calls === 'light' ? client.call.bind(client) : client.callHeavy;
  if (callOnce === undefined) throw new Error('has no heavy calls');
  let offered = 0;
  const times: number[] = [];
  const callAt = async (dueAtMs: number): Promise<void> => {
    const request = sample(offered++);
    const beganAtMs = clockMs();
    const reply = await callOnce(request).catch(() => undefined);
    const answeredAtMs = clockMs();
    if (reply === undefined || answeredAtMs - beganAtMs > patienceMs) return;
    checkAnswer(request, reply);
    times.push(answeredAtMs - dueAtMs);
  };
  const calls: Promise<void>[] = [];
  const beganAtMs = clockMs();
  for (let elapsedMs = 0; elapsedMs < plan.durationMs; elapsedMs = clockMs() - beganAtMs) {
    while (offered < (elapsedMs / 1000) * plan.ratePerSecond)
      calls.push(callAt(beganAtMs + (offered / plan.ratePerSecond) * 1000));
    await pause(1);
  }
  const elapsedMs = clockMs() - beganAtMs;
  await Promise.all(calls);
  times.sort((one, other) => one - other);
  const [p50Ms, p99Ms] = times.length === 0 ? [patienceMs, patienceMs] : [quantile(times, 0.5), quantile(times, 0.99)];
  return { offered, inTime: times.length, elapsedMs, p50Ms, p99Ms };
}
