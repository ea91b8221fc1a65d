import { abortError, MicroError, type MicroErrorOptions, type Socket } from '@ts-micro/core';
import type { Abortable, RosterMember } from '@ts-micro/kit';
import type { AttemptNotes, FailedAttempt } from '../../middleware.ts';
import { type CallOptions, type ClientSettings, checkCount, checkTime } from '../client-options.ts';
import type { Candidate, SelectRequest } from '../discovery/selector.ts';
import type { AttemptState } from '../retry/retry-policy.ts';
import { Deadline } from './deadline-clock.ts';

/**
 * One call, or the opening of one stream, from its beginning to its end through all of its attempts.
 *
 * It is its own deadline: when that passes, a signal aborts or the client closes, it closes the socket of its attempt
 * and wakes whoever waits in `wait`, so that everything it waits for ends.
 */
export abstract class PendingCall<T = unknown>
  extends Deadline
  implements SelectRequest, Abortable, AttemptState, RosterMember
{
  readonly service: string;
  readonly endpoint: string;
  readonly options: CallOptions | undefined;
  /** The notes of its attempts for middleware, where there is any. */
  readonly notes: AttemptNotes | undefined;
  readonly timeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly retries: number;
  /** When the call as a whole must be over, on the clock's scale. */
  readonly endsByMs: number;
  place = -1;

  #failures = 0;
  #mayHaveRun = false;
  #tried: string[] | undefined;
  #lastError: MicroError | undefined;

  #beganAtMs: number;
  #limitMs = 0;
  #stage: AttemptState['stage'] = 'choosing';
  #candidate: Candidate | undefined;
  #socket: Socket | undefined;
  #isReused = false;

  /** Why the present attempt was cut short. */
  #cut: 'deadline' | 'closed' | AbortSignal | undefined;
  #cutError: MicroError | undefined;
  #wake: (() => void) | undefined;

  /**
   * Throws `invalid` for options that break a rule; as the signal where one has aborted; `timeout` where the incoming
   * request's deadline has passed.
   */
  constructor(
    settings: ClientSettings,
    service: string,
    endpoint: string,
    options: CallOptions | undefined,
    nowMs: number,
    notes: AttemptNotes | undefined,
  ) {
    super();
    this.service = service;
    this.endpoint = endpoint;
    this.options = options;
    this.notes = notes;
    this.#beganAtMs = nowMs;
    let { timeoutMs, attemptTimeoutMs, retries } = settings;
    if (options !== undefined) {
      timeoutMs = options.timeoutMs ?? timeoutMs;
      attemptTimeoutMs = options.attemptTimeoutMs ?? attemptTimeoutMs;
      retries = options.retries ?? retries;
      checkTime('timeoutMs', timeoutMs);
      if (attemptTimeoutMs !== undefined) checkTime('attemptTimeoutMs', attemptTimeoutMs);
      checkCount('retries', retries);
      if (options.context?.deadline !== undefined) {
        timeoutMs = Math.min(timeoutMs, options.context.deadline - Date.now());
        if (timeoutMs <= 0)
          throw new MicroError('timeout', `${this.what}: the incoming request's deadline has passed`, {
            retrySafe: true,
          });
      }
      const aborted = [options.signal, options.context?.signal].find((signal) => signal?.aborted);
      if (aborted !== undefined) throw abortError(aborted, this.what);
    }
    this.timeoutMs = timeoutMs;
    this.attemptTimeoutMs = attemptTimeoutMs ?? timeoutMs;
    this.retries = retries;
    this.endsByMs = nowMs + timeoutMs;
  }

  /** Makes one attempt; begins by choosing a node. */
  abstract attempt(): Promise<T>;

  /** Begins every message about it. */
  get what(): string {
    const at = this.#candidate === undefined ? '' : ` at ${this.#candidate.node.id}`;
    const attempt = this.#failures === 0 ? '' : `, attempt ${this.#failures + 1}`;
    return `client: ${this.service} ${this.endpoint}${at}${attempt}`;
  }

  /** How many attempts failed. */
  get failures(): number {
    return this.#failures;
  }

  /** One of the attempts that failed may have run. */
  get mayHaveRun(): boolean {
    return this.#mayHaveRun;
  }

  /** The addresses that the attempts that failed went to. */
  get tried(): readonly string[] | undefined {
    return this.#tried;
  }

  /** When the present attempt began. */
  get beganAtMs(): number {
    return this.#beganAtMs;
  }

  /** How long it may take. */
  get limitMs(): number {
    return this.#limitMs;
  }

  get stage(): AttemptState['stage'] {
    return this.#stage;
  }

  /** The node it goes to, once that is chosen. */
  get candidate(): Candidate | undefined {
    return this.#candidate;
  }

  /** The socket it goes through, until it is settled. */
  get socket(): Socket | undefined {
    return this.#socket;
  }

  get isReused(): boolean {
    return this.#isReused;
  }

  /** Returns the time that is left of the attempt, at least a moment. */
  remainingMs(nowMs: number): number {
    return Math.max(1, this.#beganAtMs + this.#limitMs - nowMs);
  }

  /** Notes where the attempt goes. */
  choose(candidate: Candidate): void {
    this.#candidate = candidate;
  }

  /** Notes what it goes through; from now on it may have run. */
  sendOn(socket: Socket, isReused: boolean): void {
    this.#socket = socket;
    this.#isReused = isReused;
    this.#stage = 'sending';
  }

  /** Notes that all of it was handed to the transport. */
  sent(): void {
    this.#stage = 'waiting';
  }

  /** Notes that the attempt failed. */
  fail(error: MicroError): void {
    this.#mayHaveRun ||= this.#stage !== 'choosing' && !error.retrySafe;
    this.#lastError = error;
    this.#failures++;
  }

  /** Notes for middleware that another attempt follows the one that failed. */
  tryAgain(failed: FailedAttempt): void {
    if (this.notes === undefined) return;
    this.notes.failedAttempts ??= [];
    this.notes.failedAttempts.push(failed);
  }

  /** Has the next attempts go elsewhere. */
  avoid(address: string): void {
    this.#tried = [...(this.#tried ?? []), address];
  }

  get isCut(): boolean {
    return this.#cut !== undefined;
  }

  /** Begins an attempt, or a pause between two, that may take until `limitMs` from `nowMs`. */
  begin(nowMs: number, limitMs: number): void {
    this.#beganAtMs = nowMs;
    this.#limitMs = limitMs;
    this.#stage = 'choosing';
    this.#candidate = undefined;
    this.#socket = undefined;
    this.#cut = undefined;
    this.#cutError = undefined;
  }

  /**
   * Notes that the attempt has its answer: nothing cuts it short any more. False where something did, so that the
   * socket is closed.
   */
  settle(): boolean {
    const isWhole = this.#cut === undefined;
    this.#cut = undefined;
    this.#socket = undefined;
    return isWhole;
  }

  /**
   * Waits for `promise` until the attempt is cut short; it then rejects, and what becomes of the promise is ignored.
   */
  async wait<T>(promise: Promise<T>): Promise<T> {
    if (this.#cut !== undefined) {
      promise.catch(() => {});
      throw this.cutError();
    }
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#wake = () => reject(this.cutError());
        promise.then(resolve, reject);
      });
    } finally {
      this.#wake = undefined;
    }
  }

  /** Resolves when the attempt is cut short: by its time, which makes this a pause, or by something else. */
  rest(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Returns the error of an attempt that was cut short: always the same one, as making one is most of the cost. */
  cutError(): MicroError {
    this.#cutError ??= this.#makeCutError();
    return this.#cutError;
  }

  #makeCutError(): MicroError {
    const cut = this.#cut;
    if (typeof cut === 'object') return abortError(cut, this.what);
    const retrySafe = this.#stage === 'choosing';
    const details = this.#lastError === undefined ? { retrySafe } : { retrySafe, cause: this.#lastError };
    if (cut === 'closed') return new MicroError('closed', `${this.what}: the client was closed`, details);
    return this.timeoutError(details);
  }

  /** Returns the error of a call whose time is over. */
  timeoutError(details: MicroErrorOptions): MicroError {
    const isWhole = this.#beganAtMs + this.#limitMs >= this.endsByMs;
    const ms = Math.ceil(isWhole ? this.timeoutMs : this.#limitMs);
    return new MicroError('timeout', `${this.what}: no answer in ${ms} ms`, details);
  }

  /** False where the call as a whole is over: it was canceled, or the client closed. */
  get mayGoOn(): boolean {
    return this.#cut === undefined || this.#cut === 'deadline';
  }

  onDeadline(): void {
    this.#cutShort('deadline');
  }

  onAbort(signal: AbortSignal): void {
    this.#cutShort(signal);
  }

  onClientClose(): void {
    this.#cutShort('closed');
  }

  #cutShort(cut: 'deadline' | 'closed' | AbortSignal): void {
    // A signal or a close outranks a deadline, and the first of those counts.
    if (!this.mayGoOn) return;
    this.#cut = cut;
    this.#cutError = undefined;
    void this.#socket?.close();
    this.#wake?.();
  }
}
