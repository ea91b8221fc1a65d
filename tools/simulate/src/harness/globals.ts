import { createRequire, syncBuiltinESMExports } from 'node:module';
import type { Clock, Task } from './clock.ts';
import { Random } from './random.ts';

type Bag = Record<string, unknown>;

const require = createRequire(import.meta.url);

/** A timer of Node over the simulated clock. */
class SimulatedTimer {
  readonly #clock: Clock;
  readonly #delayMs: number;
  task: Task;
  hasEnded = false;
  #isRef = true;

  constructor(clock: Clock, delayMs: number, run: () => void, repeats: boolean) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    const fire = () => {
      if (repeats) this.refresh();
      else this.hasEnded = true;
      run();
    };
    this.task = clock.schedule(delayMs, fire, 'timer');
  }

  ref(): this {
    this.#isRef = true;
    return this;
  }

  unref(): this {
    this.#isRef = false;
    return this;
  }

  hasRef(): boolean {
    return this.#isRef;
  }

  refresh(): this {
    const { machine, run } = this.task;
    this.#clock.cancel(this.task);
    this.task = this.#clock.schedule(this.#delayMs, run, 'timer', machine ?? 'world');
    this.hasEnded = false;
    return this;
  }

  close(): this {
    this.#clock.cancel(this.task);
    this.hasEnded = true;
    return this;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** What Node makes of a delay. */
function delayOf(delayMs: unknown): number {
  const number = Number(delayMs);
  return number >= 1 && number <= 2 ** 31 - 1 ? Math.trunc(number) : 1;
}

/**
 * Puts a clock and chance that a seed decides in the place of Node's, also for those who import them from `node:`
 * modules; returns what undoes it. One world at a time.
 */
export function installGlobals(clock: Clock, seed: number): () => void {
  // Apart, so that drawing an identity changes nothing that is decided by chance.
  const random = new Random(seed);
  const identities = new Random(seed + 1);
  const undo: (() => void)[] = [];
  const replace = (target: object, values: Bag) => {
    for (const [name, value] of Object.entries(values)) {
      const before = Object.getOwnPropertyDescriptor(target, name);
      Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: true });
      undo.push(() => {
        if (before === undefined) Reflect.deleteProperty(target, name);
        else Object.defineProperty(target, name, before);
      });
    }
  };
  const clear = (timer: unknown) => {
    if (timer instanceof SimulatedTimer) timer.close();
  };
  const timers: Bag = {
    setTimeout: (run: (...parameters: unknown[]) => void, delayMs?: number, ...parameters: unknown[]) =>
      new SimulatedTimer(clock, delayOf(delayMs), () => run(...parameters), false),
    setInterval: (run: (...parameters: unknown[]) => void, delayMs?: number, ...parameters: unknown[]) =>
      new SimulatedTimer(clock, delayOf(delayMs), () => run(...parameters), true),
    setImmediate: (run: (...parameters: unknown[]) => void, ...parameters: unknown[]) =>
      clock.schedule(0, () => run(...parameters), 'arrival'),
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: (task?: Task) => {
      if (task !== undefined) clock.cancel(task);
    },
  };
  const waits: Bag = {
    setTimeout: (delayMs?: number, value?: unknown) =>
      new Promise((resolve) => new SimulatedTimer(clock, delayOf(delayMs), () => resolve(value), false)),
    setImmediate: (value?: unknown) => new Promise((resolve) => clock.schedule(0, () => resolve(value), 'arrival')),
  };
  const identity = () => {
    const hex = Buffer.from(identities.fill(new Uint8Array(16))).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  };
  const randomBytes = (size: number) => identities.fill(Buffer.alloc(size));
  replace(globalThis, timers);
  // The runtime measures the turns of the event loop once, and with the import. In a world that is for all processes
  // at once, so that one that is blocked or dead must not hold up the others.
  const turn = (run: () => void) => clock.schedule(0, run, 'arrival', 'world');
  replace(require('node:timers'), { ...timers, setImmediate: turn });
  replace(require('node:timers/promises'), waits);
  replace(require('node:crypto'), {
    randomUUID: identity,
    randomBytes,
    randomFillSync: identities.fill.bind(identities),
  });
  replace(globalThis.crypto, { randomUUID: identity, getRandomValues: identities.fill.bind(identities) });
  replace(Math, { random: () => random.next() });
  // Far from zero, as a process that has run for a while.
  replace(performance, { now: () => 1_000_000 + clock.nowMs });
  replace(Date, { now: () => 1_700_000_000_000 + Math.floor(clock.nowMs) });
  replace(AbortSignal, {
    timeout: (delayMs: number) => {
      const controller = new AbortController();
      const expire = () =>
        controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
      clock.schedule(delayMs, expire, 'signal');
      return controller.signal;
    },
  });
  syncBuiltinESMExports();
  return () => {
    for (const step of undo.reverse()) step();
    syncBuiltinESMExports();
  };
}
