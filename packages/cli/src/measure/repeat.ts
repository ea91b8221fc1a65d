import { MicroError } from '@ts-micro/core';
import { Latencies, type LatencySummary } from './latencies.ts';

export interface RepeatReport {
  readonly calls: number;
  readonly succeeded: number;
  /** How many failed, by the error's code. */
  readonly failures: Readonly<Record<string, number>>;
  /** The first failure, as an example. */
  readonly firstError: MicroError | undefined;
  readonly elapsedMs: number;
  readonly perSecond: number;
  /** Of those that succeeded. */
  readonly latencyMs: LatencySummary | undefined;
}

export interface RepeatOptions {
  readonly times: number;
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

/** Makes a call `times` times, `concurrency` at once, until the signal aborts. A call that fails is counted. */
export async function repeat(call: () => Promise<unknown>, options: RepeatOptions): Promise<RepeatReport> {
  const latencies = new Latencies();
  const failures: Record<string, number> = {};
  let firstError: MicroError | undefined;
  let begun = 0;
  let done = 0;
  const startedAt = performance.now();
  const worker = async () => {
    while (begun < options.times && !options.signal.aborted) {
      begun++;
      const at = performance.now();
      try {
        await call();
        latencies.add(performance.now() - at);
      } catch (thrown) {
        const error = MicroError.from(thrown, 'internal', 'call');
        if (options.signal.aborted && error.code === 'canceled') return;
        firstError ??= error;
        failures[error.code] = (failures[error.code] ?? 0) + 1;
      }
      options.onProgress(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency, options.times) }, worker));
  const elapsedMs = performance.now() - startedAt;
  const perSecond = (done / elapsedMs) * 1000;
  const latencyMs = latencies.summary();
  return { calls: done, succeeded: latencies.count, failures, firstError, elapsedMs, perSecond, latencyMs };
}
