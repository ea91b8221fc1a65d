import { setImmediate } from 'node:timers/promises';
import { type AbortOptions, MicroError } from '@ts-micro/core';
import type { NatsConnection } from '../connection/connection.ts';

export interface AnswerRightOptions {
  readonly connection: NatsConnection;
  /** Begins the messages of its errors: `nats transport`. */
  readonly what: string;
  /** Begins the subject that is tried. @default the connection's `inboxPrefix` */
  readonly prefix?: string | undefined;
  /** Called when the right to answer is lost: `unauthorized`, with the server's sentence. */
  readonly onLost: (error: MicroError) => void;
}

/** An answer whose first message the server has refused. */
export interface RefusedAnswer {
  readonly subject: string;
  readonly error: MicroError;
  /** How many messages were published on `subject` until now. */
  readonly published: () => number;
}

/** So many answers one after the other, and none between that went through, are no matter of one peer. */
const manyRefused = 3;
/** Judged at once; of others it is only counted that they were refused. */
const mostJudged = 100;
const firstHoldMs = 5000;
/** Where none ever went through: likely none will. */
const sureHoldMs = 60_000;
const longestHoldMs = 300_000;

/**
 * Finds out whether this side may still answer, and says so where it may not: whoever asked is told nothing, as the
 * server has only the answer's sender to tell.
 *
 * A peer chooses where its answer goes, so a refused answer proves little. It counts where a message to a fresh subject
 * of this side's own is refused as well, and either such a message was allowed before, or no answer ever went through
 * on this connection, or several in a row did not.
 */
export class AnswerRight {
  readonly #options: AnswerRightOptions;
  readonly #unfollow: readonly (() => void)[];
  /** How often the server has refused a message to the reply subjects that are being judged. */
  readonly #refusals = new Map<string, number>();
  readonly #waiting: RefusedAnswer[] = [];
  #isJudging = false;
  #sent = 0;
  #refused = 0;
  #passed = 0;
  /** Refused since one went through. */
  #inARow = 0;
  /** Whether a subject of this side's own was allowed when the first answer was sent, as far as it is known. */
  #wasOwnAllowed: boolean | undefined;
  #problem: MicroError | undefined;
  #lostAtMs = 0;
  #holdMs = firstHoldMs;

  constructor(options: AnswerRightOptions) {
    this.#options = options;
    const { connection } = options;
    let { reconnects } = connection.state;
    this.#unfollow = [
      connection.onPublishDenied((subject) => {
        const count = this.#refusals.get(subject);
        if (count !== undefined) this.#refusals.set(subject, count + 1);
      }),
      connection.onStateChange((state) => {
        if (state.reconnects !== reconnects) this.#forget();
        reconnects = state.reconnects;
      }),
    ];
  }

  /** The first message of an answer was published. */
  sent(): void {
    if (this.#sent++ === 0) void this.#learn();
  }

  /** The server refused a message of an answer. */
  refused(answer: RefusedAnswer): void {
    if (this.#refusals.has(answer.subject)) return;
    if (this.#waiting.length >= mostJudged) {
      this.#refused++;
      return;
    }
    this.#refusals.set(answer.subject, 1);
    this.#waiting.push(answer);
    if (!this.#isJudging) void this.#judge();
  }

  /**
   * Resolves where answers may go through. Rejects with `unauthorized` while they are known not to: where the right is
   * back, it is found here. Otherwise, as not every right to answer can be tried, it is taken for back after a while.
   */
  async check(options?: AbortOptions): Promise<void> {
    const problem = this.#problem;
    if (problem === undefined) return;
    if (performance.now() - this.#lostAtMs < this.#holdMs && (await this.#isRefused(options))) throw problem;
    this.#forget();
  }

  stop(): void {
    for (const unfollow of this.#unfollow) unfollow();
  }

  async #judge(): Promise<void> {
    this.#isJudging = true;
    try {
      // What the server refuses it says before it answers this.
      const isOwnRefused = await this.#isRefused();
      const answers = this.#waiting.splice(0);
      const whole = answers.filter(({ subject, published }) => (this.#refusals.get(subject) ?? 0) >= published());
      for (const { subject } of answers) this.#refusals.delete(subject);
      this.#refused += whole.length;
      const passed = Math.max(0, this.#sent - this.#refused);
      this.#inARow = (passed > this.#passed ? 0 : this.#inARow) + whole.length;
      this.#passed = passed;
      const isTaken = this.#wasOwnAllowed === true;
      const [first] = isTaken ? answers : whole;
      if (first === undefined || !isOwnRefused || this.#problem !== undefined) return;
      if (passed === 0 || isTaken || this.#inARow >= manyRefused)
        this.#lose(first, passed === 0 ? sureHoldMs : firstHoldMs);
    } catch {
      // The connection is lost: the next one has rights of its own.
      this.#waiting.length = 0;
      this.#refusals.clear();
    } finally {
      this.#isJudging = false;
    }
    if (this.#waiting.length > 0) void this.#judge();
  }

  #lose({ subject, error }: RefusedAnswer, holdMs: number): void {
    const { what, onLost } = this.#options;
    const nowMs = performance.now();
    // Taken for back, and it was not.
    const isAgain = this.#lostAtMs > 0 && nowMs - this.#lostAtMs < 4 * this.#holdMs;
    this.#holdMs = isAgain ? Math.min(2 * this.#holdMs, longestHoldMs) : holdMs;
    this.#lostAtMs = nowMs;
    const message = `${what}: the server refuses answers, as the one to "${subject}": ${error.message}`;
    this.#problem = new MicroError('unauthorized', message, { cause: error });
    onLost(this.#problem);
  }

  #forget(): void {
    this.#problem = undefined;
    this.#sent = 0;
    this.#refused = 0;
    this.#passed = 0;
    this.#inARow = 0;
    this.#wasOwnAllowed = undefined;
  }

  async #learn(): Promise<void> {
    const { reconnects } = this.#options.connection.state;
    try {
      const isRefused = await this.#isRefused();
      if (this.#options.connection.state.reconnects === reconnects) this.#wasOwnAllowed = !isRefused;
    } catch {
      // The connection is lost.
    }
  }

  /** Tries a subject of this side's own, which nobody listens on. Rejects where there is no connection. */
  async #isRefused(options?: AbortOptions): Promise<boolean> {
    const { connection, prefix } = this.#options;
    const tried = connection.newInbox(prefix);
    let isRefused = false;
    const ignore = connection.onPublishDenied((subject) => {
      const isMeant = subject === tried;
      isRefused ||= isMeant;
      return isMeant;
    });
    try {
      connection.publish(tried, new Uint8Array(0));
      await connection.flush(options);
      // The client tells of a refusal, which came before the answer to the flush, some microtasks later.
      await setImmediate();
      return isRefused;
    } finally {
      ignore();
    }
  }
}
