import { type MemoryNetwork, memoryNetwork } from '@ts-micro/memory';
import type { Setting } from '../programs/program.ts';
import { Clock } from './clock.ts';
import { installGlobals } from './globals.ts';
import { SimulatedNatsServer } from './nats-server.ts';
import { Random } from './random.ts';

/** The first rule that a run broke. */
export class Violation extends Error {}

/** One simulated world: a clock, a source of chance and a network. Everything in it is decided by the setting. */
export class World implements Disposable {
  readonly clock: Clock = new Clock();
  readonly #random: Random;
  readonly server: SimulatedNatsServer | undefined;
  readonly network: MemoryNetwork | undefined;
  readonly #restore: () => void;
  readonly #onStray: (error: unknown) => void;
  /** Fingerprint of everything that was told, by which two runs of one seed are compared. */
  fingerprint = 0;
  violation: Violation | undefined;
  onTrace: ((line: string) => void) | undefined;

  constructor(setting: Setting) {
    this.#random = new Random(setting.chance);
    this.#restore = installGlobals(this.clock, setting.chance + 1);
    if (setting.backend === 'nats') this.server = new SimulatedNatsServer(this.clock, this.#random, setting);
    else this.network = memoryNetwork();
    this.#onStray = (error) => this.broken(`nobody took an error: ${describe(error)}`);
    this.clock.onThrow = this.#onStray;
    process.on('unhandledRejection', this.#onStray);
    process.on('uncaughtException', this.#onStray);
  }

  [Symbol.dispose](): void {
    this.#restore();
    process.off('unhandledRejection', this.#onStray);
    process.off('uncaughtException', this.#onStray);
  }

  /** An invariant does not hold; the first one counts. */
  broken(what: string): void {
    this.tell(`BROKEN ${what}`);
    this.violation ??= new Violation(`at ${this.clock.nowMs.toFixed(1)} ms: ${what}`);
  }

  /** Adds a line to the run's story. */
  tell(what: string): void {
    // Names that are drawn outside of the world differ.
    const line = what.replace(/_INBOX\.[\w.]+/g, '_INBOX');
    for (let index = 0; index < line.length; index++)
      this.fingerprint = (Math.imul(this.fingerprint, 31) + line.charCodeAt(index)) | 0;
    this.fingerprint = (Math.imul(this.fingerprint, 31) + Math.round(this.clock.nowMs * 1000)) | 0;
    this.onTrace?.(`${this.clock.nowMs.toFixed(1).padStart(10)}  ${line}`);
  }
}

function describe(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return 'one that cannot be described';
  }
}
