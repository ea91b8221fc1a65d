import type { NodeAnswer } from '../fleet/ask-nodes.ts';

/** What `top` shows of one node. What a node does not tell is `undefined`. */
export interface NodeRates {
  readonly service: string;
  readonly version: string;
  readonly node: string;
  readonly requestsPerSecond: number | undefined;
  readonly errorsPerSecond: number | undefined;
  readonly requests: number | undefined;
  readonly errors: number | undefined;
  readonly memoryBytes: number | undefined;
  /** How long it took to answer the last question. */
  readonly answerMs: number;
  /** Why it did not answer. */
  readonly problem: string | undefined;
}

interface Counts {
  readonly atMs: number;
  readonly requests: number;
  readonly errors: number;
}

/** Makes rates of what nodes count, from one answer to `Debug.Stats` to the next. */
export class RateMeter {
  #before = new Map<string, Counts>();

  /** Returns the rates at `nowMs`, and keeps the counts for the next time. A node that has restarted begins anew. */
  ratesOf(answers: readonly NodeAnswer[], nowMs: number): readonly NodeRates[] {
    const counts = new Map<string, Counts>();
    const rates = answers.map(({ service, version, node, answer, elapsedMs, error }) => {
      const key = JSON.stringify([service, node.id]);
      const requests = numberOf(answer?.requests);
      const errors = numberOf(answer?.errors);
      const before = this.#before.get(key);
      if (requests !== undefined) counts.set(key, { atMs: nowMs, requests, errors: errors ?? 0 });
      const seconds = before === undefined ? 0 : (nowMs - before.atMs) / 1000;
      const rate = (now: number | undefined, then: number | undefined) =>
        now === undefined || then === undefined || seconds <= 0 || now < then ? undefined : (now - then) / seconds;
      return {
        service,
        version,
        node: node.id,
        // The question itself is a request as well.
        requestsPerSecond: rate(
          requests === undefined ? undefined : Math.max(requests - 1, before?.requests ?? 0),
          before?.requests,
        ),
        errorsPerSecond: rate(errors, before?.errors),
        requests,
        errors,
        memoryBytes: numberOf(answer?.memory),
        answerMs: elapsedMs,
        problem: error?.message,
      };
    });
    this.#before = counts;
    return rates;
  }
}

function numberOf(value: unknown): number | undefined {
  const number = Number(value ?? Number.NaN);
  return Number.isFinite(number) ? number : undefined;
}
