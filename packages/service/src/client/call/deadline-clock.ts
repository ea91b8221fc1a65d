/**
 * A timer that fires so late tells of a blocked event loop: what arrived meanwhile is read before anything is given
 * up.
 */
const lateMs = 10;
/** Turns of the event loop that reading takes. */
const turns = 2;

/**
 * Durations are rounded up to this, so that few lists serve many of them; with the timer's own step nothing ends more
 * than 10 ms late.
 */
const stepMs = 5;

interface Queue {
  readonly durationMs: number;
  head: Deadline | undefined;
  tail: Deadline | undefined;
}

/**
 * Something that ends unless it is stopped in time. One object can be started again and again, and is started at most
 * once at a time.
 */
export abstract class Deadline {
  /** @internal */ endsAtMs = 0;
  /** @internal */ queue: Queue | undefined;
  /** @internal */ previous: Deadline | undefined;
  /** @internal */ next: Deadline | undefined;

  /** Called once when the time is over, never earlier than asked for; must not throw. */
  abstract onDeadline(): void;
}

/**
 * One timer for any number of deadlines.
 *
 * Calls mostly share a few durations, and those of one duration end in the order they began: a list for each duration,
 * of which only the first counts, makes starting and stopping free of timers and searches. Keeps the process alive
 * only while a deadline runs.
 */
export class DeadlineClock {
  readonly #queues = new Map<number, Queue>();
  #lastQueue: Queue | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerEndsAtMs = Number.POSITIVE_INFINITY;
  #immediate: NodeJS.Immediate | undefined;
  #running = 0;

  /** How many deadlines run. */
  get running(): number {
    return this.#running;
  }

  /** Milliseconds on a clock that never jumps. */
  now(): number {
    return performance.now();
  }

  /** Starts a deadline `durationMs` after `nowMs`, in at most 2^31 ms. One that runs already is started anew. */
  start(deadline: Deadline, durationMs: number, nowMs: number = this.now()): void {
    if (deadline.queue !== undefined) this.stop(deadline);
    const queue = this.#queueFor(durationMs);
    const endsAtMs = nowMs + queue.durationMs;
    deadline.endsAtMs = endsAtMs;
    deadline.queue = queue;
    const tail = queue.tail;
    deadline.previous = tail;
    if (tail === undefined) queue.head = deadline;
    else tail.next = deadline;
    queue.tail = deadline;
    if (this.#running++ === 0) this.#timer?.ref();
    if (endsAtMs < this.#timerEndsAtMs) this.#arm(endsAtMs, nowMs);
  }

  /** Stops a deadline; one that does not run is left alone. */
  stop(deadline: Deadline): void {
    const { queue, previous, next } = deadline;
    if (queue === undefined) return;
    if (previous === undefined) queue.head = next;
    else previous.next = next;
    if (next === undefined) queue.tail = previous;
    else next.previous = previous;
    deadline.queue = undefined;
    deadline.previous = undefined;
    deadline.next = undefined;
    if (--this.#running === 0) this.#timer?.unref();
  }

  /** Releases the timer. Deadlines that still run never end. */
  close(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#timerEndsAtMs = Number.POSITIVE_INFINITY;
    this.#queues.clear();
    this.#lastQueue = undefined;
  }

  #queueFor(durationMs: number): Queue {
    const rounded = Math.max(stepMs, Math.ceil(durationMs / stepMs) * stepMs);
    const last = this.#lastQueue;
    if (last !== undefined && last.durationMs === rounded) return last;
    let queue = this.#queues.get(rounded);
    if (queue === undefined) {
      queue = { durationMs: rounded, head: undefined, tail: undefined };
      this.#queues.set(rounded, queue);
    }
    this.#lastQueue = queue;
    return queue;
  }

  #arm(endsAtMs: number, nowMs: number): void {
    clearTimeout(this.#timer);
    this.#timerEndsAtMs = endsAtMs;
    // One more, because a timer may fire up to a millisecond before its time. Newer Node warns of negative delays.
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, Math.ceil(endsAtMs - nowMs)) + 1);
    if (this.#running === 0) this.#timer.unref();
  }

  #tick(): void {
    this.#timer = undefined;
    const nowMs = this.now();
    if (nowMs > this.#timerEndsAtMs + lateMs) this.#tickAfter(turns, nowMs);
    else this.#endUntil(nowMs);
  }

  #tickAfter(remaining: number, nowMs: number): void {
    this.#immediate = setImmediate(() => {
      if (remaining > 1) this.#tickAfter(remaining - 1, nowMs);
      else this.#endUntil(nowMs);
    });
  }

  #endUntil(nowMs: number): void {
    this.#timerEndsAtMs = Number.POSITIVE_INFINITY;
    let nextEndsAtMs = Number.POSITIVE_INFINITY;
    for (const queue of this.#queues.values()) {
      for (let head = queue.head; head !== undefined && head.endsAtMs <= nowMs; head = queue.head) {
        this.stop(head);
        head.onDeadline();
      }
      if (queue.head !== undefined) nextEndsAtMs = Math.min(nextEndsAtMs, queue.head.endsAtMs);
      else if (queue !== this.#lastQueue) this.#queues.delete(queue.durationMs);
    }
    if (nextEndsAtMs < this.#timerEndsAtMs) this.#arm(nextEndsAtMs, this.now());
  }
}
