import type { Logger } from '@ts-micro/core';
import type { Machine } from '../harness/machine.ts';
import { SimulatedProcess } from '../harness/simulated-process.ts';
import { World } from '../harness/world.ts';
import { Calls } from '../invariants/calls.ts';
import { Nodes } from '../invariants/nodes.ts';
import { Promises } from '../invariants/promises.ts';
import { StreamRecord } from '../invariants/streams.ts';
import type { Setting } from './program.ts';

/** What the actors of one program share: the world and the books that the invariants are read from. */
export class Stage {
  readonly world: World;
  readonly setting: Setting;
  readonly calls: Calls;
  readonly promises: Promises;
  readonly nodes: Nodes;
  readonly streams: Map<string, StreamRecord> = new Map();
  /** Handlers that run now, as `stream-3 at alpha-0.1`, with their process; and users' programs. */
  readonly handlers: Map<symbol, { readonly what: string; readonly process: SimulatedProcess }> = new Map();
  readonly scripts: Map<symbol, { readonly what: string; readonly process: SimulatedProcess }> = new Map();
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
    const key = Symbol(what);
    this.scripts.set(key, { what, process });
    this.enter(process, () => {
      void run().finally(() => this.scripts.delete(key));
    });
  }

  /** What is under way in processes that live: promises, scripts and handlers. */
  get underWay(): readonly string[] {
    const running = [...this.handlers.values(), ...this.scripts.values()];
    const alive = running.filter(({ process }) => !process.machine.isDead);
    return [...this.promises.open, ...alive.map(({ what }) => what)];
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
