import type { CallResult } from '../../harness/caller.ts';
import type { LoadPlan, LoadResult } from '../../harness/open-load.ts';
import type { PeerProcess } from '../../harness/peer-process.ts';

/** How long the load may have fallen until everything is as before. */
const recoveryMs = 2000;

export interface OverloadMeasurement {
  readonly peak: number;
  /** Answers in time a second under twice the peak, as a share of the peak. */
  readonly goodput: number;
  /** The share of calls answered in time under half of the peak, two seconds after the overload. */
  readonly afterwards: number;
}

/** Offers twice the peak for a while and then half of it; `inFlight` calls at once reach the peak. */
export async function measureOverload(
  client: PeerProcess,
  inFlight: number,
  durationMs: number,
): Promise<OverloadMeasurement> {
  const peak = await peakOf(client, inFlight);
  const under = await load(client, { ratePerSecond: 2 * peak, durationMs });
  await load(client, { ratePerSecond: peak / 2, durationMs: recoveryMs });
  const after = await load(client, { ratePerSecond: peak / 2, durationMs: recoveryMs });
  return {
    peak,
    goodput: ((under.inTime / under.elapsedMs) * 1000) / peak,
    afterwards: after.inTime / after.offered,
  };
}

/** The most heavy calls a second that the server answers. */
export async function peakOf(client: PeerProcess, inFlight: number): Promise<number> {
  const { calls, elapsedMs } = await client.request<CallResult>('heavyCalls', { inFlight, durationMs: 1000 });
  return (calls / elapsedMs) * 1000;
}

function load(client: PeerProcess, plan: Omit<LoadPlan, 'calls'>): Promise<LoadResult> {
  return client.request<LoadResult>('openLoad', { ...plan, calls: 'heavy' });
}
