import type { Machine } from './machine.ts';

/** What kind of work a task is: timers run before what arrived when both are due, as in Node's event loop. */
export type TaskKind = 'timer' | 'signal' | 'arrival' | 'harness';

export interface Task {
  readonly kind: TaskKind;
  readonly machine: Machine | undefined;
  readonly run: () => void;
  /** Where it was set, for a report of what is left over. */
  readonly origin: string | undefined;
  atMs: number;
  sequence: number;
  isCanceled: boolean;
}

const realImmediate = globalThis.setImmediate;
const kindOrder: Readonly<Record<TaskKind, number>> = { timer: 0, signal: 0, arrival: 1, harness: 2 };

/**
 * Virtual time: a queue of tasks. Between two of them every microtask runs, so that what a task leads to belongs to its
 * machine.
 */
export class Clock {
  readonly #heap: Task[] = [];
  #nowMs = 0;
  #sequence = 0;
  /** Whose code runs now. */
  current: Machine | undefined;
  /** Told what a task throws: in Node it would end the process, or the client's read loop. */
  onThrow: (error: unknown) => void = () => {};
  /** Counts the tasks that ran. */
  steps = 0;
  /** Whether tasks remember where they were set: slow. */
  keepsOrigins = false;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Sets a task: of the machine whose code runs now, where neither another nor the world is given. */
  schedule(delayMs: number, run: () => void, kind: TaskKind, of: Machine | 'world' | undefined = this.current): Task {
    const machine = of === 'world' ? undefined : of;
    const origin = this.keepsOrigins ? new Error('set').stack : undefined;
    const task: Task = {
      kind,
      machine,
      run,
      origin,
      atMs: this.#nowMs + Math.max(0, delayMs),
      sequence: ++this.#sequence,
      isCanceled: false,
    };
    this.#push(task);
    return task;
  }

  cancel(task: Task): void {
    task.isCanceled = true;
  }

  /** Sets a task again that may have run. */
  renew(task: Task, delayMs: number): void {
    task.atMs = this.#nowMs + delayMs;
    task.sequence = ++this.#sequence;
    this.#push(task);
  }

  /** Runs the code of a machine now, and what follows at once, as a task of its own would. */
  async as<T>(machine: Machine, run: () => T): Promise<T> {
    this.current = machine;
    const result = run();
    await drain();
    this.current = undefined;
    return result;
  }

  /** What still waits of one kind, of machines that live. */
  waiting(kind: TaskKind): readonly Task[] {
    return this.#heap.filter((task) => task.kind === kind && !task.isCanceled && task.machine?.isDead !== true);
  }

  /** Runs tasks until `isDone`, or until nothing is due up to `untilMs`; time has then moved on to it. */
  async run(untilMs: number, isDone: () => boolean = () => false): Promise<void> {
    await drain();
    while (!isDone()) {
      const task = this.#heap[0];
      if (task === undefined || task.atMs > untilMs) break;
      this.#pop();
      if (task.isCanceled || task.machine?.isDead) continue;
      const blockedUntilMs = task.machine?.blockedUntilMs ?? 0;
      if (blockedUntilMs > task.atMs && task.kind !== 'harness') {
        task.atMs = blockedUntilMs;
        this.#push(task);
        continue;
      }
      this.#nowMs = Math.max(this.#nowMs, task.atMs);
      this.current = task.machine;
      this.steps++;
      try {
        task.run();
      } catch (error) {
        this.onThrow(error);
      }
      await drain();
    }
    this.current = undefined;
    if (!isDone()) this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(task);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(task, heap[parent] as Task)) break;
      heap[index] = heap[parent] as Task;
      index = parent;
    }
    heap[index] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Task;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Task, heap[child] as Task)) child++;
      if (!isBefore(heap[child] as Task, last)) break;
      heap[index] = heap[child] as Task;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: Task, other: Task): boolean {
  if (one.atMs !== other.atMs) return one.atMs < other.atMs;
  const order = kindOrder[one.kind] - kindOrder[other.kind];
  return order === 0 ? one.sequence < other.sequence : order < 0;
}

/** Lets every microtask run, and what they lead to. */
function drain(): Promise<void> {
  return new Promise((resolve) => {
    realImmediate(resolve);
  });
}
