import type { ContenderClient } from '../contenders/contender.ts';
import { clockMs } from './clock.ts';
import { cpuMs } from './cpu-time.ts';
import { byteSample, checkAnswer, checkBytes, sample } from './report/sample.ts';
import { quantile } from './report/statistics.ts';

/**
 * How to call: by JSON samples, or bytes where a size is given; so many at once, and until the time or the count is
 * over.
 */
export interface CallPlan {
  readonly inFlight: number;
  readonly bytes?: number | undefined;
  readonly calls?: number | undefined;
  readonly durationMs?: number | undefined;
  /** Whether to time each call. */
  readonly hasLatencies?: boolean | undefined;
}

/** What came of it. Every answer was right, else there is no result. */
export interface CallResult {
  readonly calls: number;
  readonly elapsedMs: number;
  /** Of this process. */
  readonly cpuMs: number;
  readonly p50Ms?: number | undefined;
  readonly p99Ms?: number | undefined;
}

/** Keeps a number of calls in flight and checks every answer. */
export class Caller {
  readonly #client: ContenderClient;
  readonly #plan: CallPlan;
  readonly #latencies: number[] = [];
  #count = 0;
  #isOver = false;

  constructor(client: ContenderClient, plan: CallPlan) {
    this.#client = client;
    this.#plan = plan;
  }

  async run(): Promise<CallResult> {
    const { inFlight, durationMs } = this.#plan;
    const timer = durationMs === undefined ? undefined : setTimeout(() => this.stop(), durationMs);
    const cpuBefore = cpuMs();
    const beganAtMs = clockMs();
    try {
      await Promise.all(Array.from({ length: inFlight }, () => this.#work()));
    } finally {
      this.stop();
      clearTimeout(timer);
    }
    const result = { calls: this.#count, elapsedMs: clockMs() - beganAtMs, cpuMs: cpuMs() - cpuBefore };
    if (this.#latencies.length === 0) return result;
    const sorted = this.#latencies.sort((one, other) => one - other);
    return { ...result, p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) };
  }

  /** Lets the calls in flight end, and makes no more. */
  stop(): void {
    this.#isOver = true;
  }

  #work(): Promise<void> {
    const { bytes, hasLatencies } = this.#plan;
    if (bytes !== undefined) return this.#callBytes(bytes);
    return hasLatencies ? this.#callTimed() : this.#call();
  }

  async #call(): Promise<void> {
    while (this.#hasNext()) {
      const request = sample(this.#count++);
      checkAnswer(request, await this.#client.call(request));
    }
  }

  async #callTimed(): Promise<void> {
    while (this.#hasNext()) {
      const request = sample(this.#count++);
      const beganAtMs = performance.now();
      const reply = await this.#client.call(request);
      this.#latencies.push(performance.now() - beganAtMs);
      checkAnswer(request, reply);
    }
  }

  async #callBytes(size: number): Promise<void> {
    const client = this.#client;
    if (client.callBytes === undefined) throw new Error('does not call with bytes');
    while (this.#hasNext()) {
      const serial = this.#count++;
      checkBytes(serial, size, await client.callBytes(byteSample(serial, size)));
    }
  }

  #hasNext(): boolean {
    const { calls } = this.#plan;
    return !this.#isOver && (calls === undefined || this.#count < calls);
  }
}
