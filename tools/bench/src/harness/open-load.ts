import { setTimeout as pause } from 'node:timers/promises';
import type { ContenderClient } from '../contenders/contender.ts';
import { clockMs } from './clock.ts';
import { checkAnswer, sample } from './report/sample.ts';

/** Heavy calls that begin at a fixed rate, whatever becomes of those before. */
export interface LoadPlan {
  readonly ratePerSecond: number;
  readonly durationMs: number;
}

export interface LoadResult {
  readonly offered: number;
  /** Answered before the caller gave up, after {@link patienceMs}. */
  readonly inTime: number;
  /** How long calls began. */
  readonly elapsedMs: number;
}

/** How long a caller waits for a heavy answer. */
export const patienceMs = 500;

/** Offers the load and counts the answers in time; resolves once every call has ended. */
export async function offerLoad(client: ContenderClient, plan: LoadPlan): Promise<LoadResult> {
  const { callHeavy } = client;
  if (callHeavy === undefined) throw new Error('has no heavy calls');
  let offered = 0;
  let inTime = 0;
  const callOnce = async (): Promise<void> => {
    const request = sample(offered++);
    const beganAtMs = performance.now();
    const reply = await callHeavy(request).catch(() => undefined);
    if (reply === undefined || performance.now() - beganAtMs > patienceMs) return;
    checkAnswer(request, reply);
    inTime++;
  };
  const calls: Promise<void>[] = [];
  const beganAtMs = clockMs();
  for (let elapsedMs = 0; elapsedMs < plan.durationMs; elapsedMs = clockMs() - beganAtMs) {
    while (offered < (elapsedMs / 1000) * plan.ratePerSecond) calls.push(callOnce());
    await pause(1);
  }
  const elapsedMs = clockMs() - beganAtMs;
  await Promise.all(calls);
  return { offered, inTime, elapsedMs };
}
