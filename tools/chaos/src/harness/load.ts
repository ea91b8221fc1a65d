import { MicroError } from '@ts-micro/core';

/** One call of a load. */
export interface Sent {
  readonly number: number;
  readonly beganMs: number;
  readonly tookMs: number;
  readonly answer: unknown;
  readonly error: unknown;
}

/** Calls without end, so many at once, each with a number of its own. */
export class Load implements AsyncDisposable {
  readonly done: Sent[] = [];
  readonly #call: (number: number) => Promise<unknown>;
  readonly #callers: Promise<void>[];
  #next: number;
  #isStopped = false;

  constructor(atOnce: number, call: (number: number) => Promise<unknown>, first: number = 0) {
    this.#call = call;
    this.#next = first;
    this.#callers = Array.from({ length: atOnce }, () => this.#run());
  }

  get failed(): readonly Sent[] {
    return this.done.filter(({ error }) => error !== undefined);
  }

  /** How many of each error code; what is no `MicroError` counts as `untyped`. */
  get codes(): string {
    return codesOf(this.failed);
  }

  get untyped(): number {
    return this.failed.filter(({ error }) => !MicroError.is(error)).length;
  }

  get longestMs(): number {
    return Math.round(this.done.reduce((longest, { tookMs }) => Math.max(longest, tookMs), 0));
  }

  /** Begins no more calls and waits for those that run. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#callers);
  }

  /** A row that breaks off must not leave calls to the rows after it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const number = this.#next++;
      const beganMs = performance.now();
      let answer: unknown;
      let error: unknown;
      try {
        answer = await this.#call(number);
      } catch (thrown) {
        error = thrown ?? new Error('nothing');
      }
      this.done.push({ number, beganMs, tookMs: performance.now() - beganMs, answer, error });
      // A call refused at once must not keep all others from their turn.
      if (error !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** `3 timeout, 1 unavailable`; `none`. */
export function codesOf(sent: readonly { readonly error: unknown }[]): string {
  const counts = new Map<string, number>();
  for (const { error } of sent) {
    const code = MicroError.is(error) ? error.code : 'untyped';
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return [...counts].map(([code, count]) => `${count} ${code}`).join(', ') || 'none';
}
