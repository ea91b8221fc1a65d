import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { MicroError } from '@ts-micro/core';
import type { Faults } from '../backend.ts';
import { within } from '../within.ts';
import type { ChaosProxy } from './chaos-proxy.ts';
import type { RestartOptions, Server, ServerPlace } from './server.ts';
import { ServerProcess } from './server-process.ts';
import { takesConnections } from './takes-connections.ts';

const pollMs = 10;

interface ServerInit {
  readonly name: string;
  readonly place: ServerPlace;
  readonly proxy: ChaosProxy | undefined;
  readonly command: () => readonly string[] | Promise<readonly string[]>;
  readonly env: () => Readonly<Record<string, string>>;
  readonly ready: () => boolean | Promise<boolean>;
  readonly startWithinMs: number;
  readonly stopWithinMs: number;
  readonly removeAll: () => Promise<void>;
}

/** A server program, its folder and its proxy, over as many runs as a test wants. */
export class ThrowawayServer implements Server {
  readonly port: number;
  readonly ports: readonly number[];
  readonly folder: string;
  readonly address: string;
  readonly #init: ServerInit;
  #process: ServerProcess | undefined;
  #isDisposed = false;

  constructor(init: ServerInit) {
    this.#init = init;
    this.port = init.place.port;
    this.ports = init.place.ports;
    this.folder = init.place.folder;
    this.address = init.place.address;
  }

  get proxy(): ChaosProxy {
    if (this.#init.proxy) return this.#init.proxy;
    throw new MicroError('unsupported', `${this.#init.name}: it was started without a proxy`);
  }

  get faults(): Required<Faults> {
    return {
      kill: () => this.kill(),
      restart: () => this.restart(),
      partition: async (ms) => {
        this.proxy.cut();
        await sleep(ms);
        this.proxy.heal();
      },
      halfOpen: async () => this.proxy.silence(),
    };
  }

  get pid(): number {
    return this.#running().pid;
  }

  get isRunning(): boolean {
    return this.#process?.isRunning ?? false;
  }

  count(): { readonly connections: number } {
    return { connections: this.proxy.links };
  }

  async start(): Promise<void> {
    const { name, command, env, startWithinMs } = this.#init;
    const child = new ServerProcess({ name, command: await command(), env: env() });
    this.#process = child;
    const deadline = performance.now() + startWithinMs;
    while (!(await this.#isReady())) {
      if (!child.isRunning) throw this.#notStarted(child, 'ended at once');
      if (performance.now() > deadline) {
        await child.kill();
        throw this.#notStarted(child, `did not start within ${startWithinMs} ms`);
      }
      await sleep(pollMs);
    }
    // Who took its port answers in its stead.
    if (!child.isRunning) throw this.#notStarted(child, 'ended at once');
  }

  async kill(): Promise<void> {
    const { isRunning } = this;
    await this.#process?.kill();
    if (isRunning) await this.#portsLeft();
  }

  async stop(): Promise<void> {
    const { isRunning } = this;
    await this.#process?.stop(this.#init.stopWithinMs);
    if (isRunning) await this.#portsLeft();
  }

  async restart({ keepData = true }: RestartOptions = {}): Promise<void> {
    if (this.#isDisposed) throw new MicroError('closed', `${this.#init.name}: it was disposed of and cannot restart`);
    await this.stop();
    if (!keepData) {
      await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
      await mkdir(this.folder);
    }
    await this.start();
  }

  loseData(): Promise<void> {
    return this.kill().then(() => this.restart({ keepData: false }));
  }

  suspend(): void {
    this.#running().suspend();
  }

  resume(): void {
    this.#running().signalAll('SIGCONT');
  }

  signal(name: NodeJS.Signals): void {
    this.#running().signal(name);
  }

  logs(): string {
    return this.#process?.logs() ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await this.#init.proxy?.[Symbol.asyncDispose]();
    await this.kill();
    await this.#init.removeAll();
  }

  async #isReady(): Promise<boolean> {
    const { name, ready, startWithinMs } = this.#init;
    try {
      return await within(Promise.resolve(ready()), `${name}: asking whether it is ready`, startWithinMs);
    } catch {
      return false;
    }
  }

  /** What a start script started may live on for a moment: the next run would meet it, and end. */
  async #portsLeft(): Promise<void> {
    const deadline = performance.now() + this.#init.stopWithinMs;
    const isTaken = async (): Promise<boolean> => (await Promise.all(this.ports.map(takesConnections))).includes(true);
    while (performance.now() < deadline && (await isTaken())) await sleep(pollMs);
  }

  #running(): ServerProcess {
    if (!this.#process?.isRunning) throw new MicroError('closed', `${this.#init.name}: it is not running`);
    return this.#process;
  }

  #notStarted(child: ServerProcess, how: string): MicroError {
    const logs = child.logs();
    const code = /address (is )?already in use|EADDRINUSE/i.test(logs) ? 'conflict' : 'unavailable';
    return new MicroError(code, `${this.#init.name}: ${how}\n${logs}`);
  }
}
