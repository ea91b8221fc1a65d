import type { Logger } from '@ts-micro/core';
import type { Machine } from '../harness/machine.ts';
import { SimulatedProcess } from '../harness/simulated-process.ts';
import { World } from '../harness/world.ts';
import { Calls } from '../invariants/calls.ts';
import { Nodes } from '../invariants/nodes.ts';
import { Promises } from '../invariants/promises.ts';
import { StreamRecord } from '../invariants/streams.ts';
import type { Setting } from './program.ts';

export interface Running {
  readonly what: string;
  readonly process: SimulatedProcess;
}

/** A handler that runs, as `stream-3 at alpha-0.1`. */
export interface RunningHandler extends Running {
  /** Of the call or stream. */
  readonly id: string;
  readonly kind: 'call' | 'stream' | 'event';
  /** It obeys its signal, or waits for nothing but its stream. */
  readonly listens: boolean;
  /** It ends as soon as its signal aborts. */
  readonly obeys: boolean;
}

/** What the actors of one program share: the world and the books that the invariants are read from. */
export class Stage {
  readonly world: World;
  readonly setting: Setting;
  readonly calls: Calls;
  readonly promises: Promises;
  readonly nodes: Nodes;
  readonly streams: Map<string, StreamRecord> = new Map();
  readonly handlers: Set<RunningHandler> = new Set();
  /** Users' programs that are under way. */
  readonly scripts: Set<Running> = new Set();
  /** Signals that users handed out. */
  readonly signals: { readonly what: string; readonly signal: AbortSignal; readonly process: SimulatedProcess }[] = [];
  readonly processes: Set<SimulatedProcess> = new Set();
  #ids = 0;

  constructor(setting: Setting) {
    this.setting = setting;
    this.world = new World(setting);
    this.calls = new Calls(this.world);
    this.promises = new Promises(this.world);
    this.nodes = new Nodes(this.world, setting);
  }

  newId(kind: string): string {
    return `${kind}-${++this.#ids}`;
  }

  newProcess(machine: Machine): SimulatedProcess {
    const process = new SimulatedProcess(this.world, machine, this.setting, this.#logger());
    process.onDial = (address) => this.nodes.dialled(address);
    this.processes.add(process);
    return process;
  }

  newStream(id: string): StreamRecord {
    const isNumbered = this.setting.backend === 'memory' || this.setting.dialect === 'auto';
    const record = new StreamRecord(this.world, id, isNumbered);
    this.streams.set(id, record);
    return record;
  }

  /** Runs users' code as a process does: what it sets and awaits belongs to that. */
  enter(process: SimulatedProcess, run: () => void): void {
    this.world.clock.schedule(0, run, 'arrival', process.machine);
  }

  /** A user's own timer, which is not counted among those of the runtime. */
  pause(process: SimulatedProcess, ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        signal?.removeEventListener('abort', end);
        resolve();
      };
      if (signal?.aborted) return resolve();
      this.world.clock.schedule(ms, end, 'harness', process.machine);
      signal?.addEventListener('abort', end, { once: true });
    });
  }

  /** What a user's program does over a time; the world does not end before it. */
  script(process: SimulatedProcess, what: string, run: () => Promise<void>): void {
    const script = { what, process };
    this.scripts.add(script);
    this.enter(process, () => {
      void run().finally(() => this.scripts.delete(script));
    });
  }

  /** What is under way in processes that live: promises, scripts and handlers. */
  get underWay(): readonly string[] {
    const running = [...this.handlers, ...this.scripts];
    const alive = running.filter(({ process }) => !process.machine.isDead);
    return [...this.promises.open, ...alive.map(({ what }) => what)];
  }

  /**
   * Where nothing disturbs them, the handler of what a client has left is told: it ends within `withinMs`. It is asked
   * of handlers that listen, and between peers that can tell each other; not where `isExcused` says so at the end.
   */
  expectTold(
    id: string,
    client: SimulatedProcess,
    withinMs: number,
    why: string,
    isExcused: () => boolean = () => false,
  ): void {
    const { clock } = this.world;
    const sinceMs = clock.nowMs;
    if (this.setting.backend === 'nats' && this.setting.dialect === 'go') return;
    const check = () => {
      if (isExcused()) return;
      for (const { id: runningId, what, process, listens } of this.handlers) {
        if (runningId !== id || !listens || process.machine.isDead || !this.isCalm(process, sinceMs)) continue;
        if (client.machine.isDead || this.isCalm(client, sinceMs))
          this.world.broken(`the handler of ${what} still runs ${withinMs} ms after ${why}`);
      }
    };
    clock.schedule(withinMs, check, 'harness', 'world');
  }

  /** Whether nothing has kept a process from being reached since then. */
  isCalm(process: SimulatedProcess, sinceMs: number): boolean {
    return process.disturbedUntilMs < sinceMs;
  }

  #logger(): Logger {
    const { loggerThrows } = this.setting;
    const log = (message: string) => {
      this.world.tell(`log ${message}`);
      if (loggerThrows) throw new TypeError('Converting circular structure to JSON');
    };
    return { debug: log, info: log, warn: log, error: log };
  }
}
