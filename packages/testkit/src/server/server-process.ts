import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { MicroError } from '@ts-micro/core';

const keptLines = 500;
const suspendMs = 1000;
const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));
const isWindows = process.platform === 'win32';

export interface ServerProcessOptions {
  /** Names the server in errors. */
  readonly name: string;
  readonly command: readonly string[];
  /** Set on top of this process's own environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** @default this process's own */
  readonly folder?: string | undefined;
}

/**
 * One run of a server program, from spawn to exit. A group of processes of its own, so that what a start script started
 * is killed with it.
 */
export class ServerProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #exited: Promise<void>;
  #isRunning = true;

  constructor({ name, command: [program = '', ...parameters], env, folder }: ServerProcessOptions) {
    this.#name = name;
    this.#child = spawn(program, parameters, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: !isWindows,
      ...(env && { env: { ...process.env, ...env } }),
      ...(folder !== undefined && { cwd: folder }),
    });
    this.#exited = new Promise((resolve) => {
      const onEnd = (error?: Error): void => {
        if (error instanceof Error) this.#lines.push(error.message);
        this.#isRunning = false;
        resolve();
      };
      this.#child.once('error', onEnd);
      this.#child.once('exit', () => onEnd());
    });
    // A server that a test forgot neither keeps the test process alive nor outlives it.
    this.#child.unref();
    for (const output of [this.#child.stdout, this.#child.stderr]) this.#keepLines(output as NodeJS.ReadableStream);
    if (this.#child.pid !== undefined) endWithThisProcess(this.#child.pid, this.#child);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new MicroError('unavailable', `${this.#name}: ${this.logs()}`);
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  logs(): string {
    return this.#lines.join('\n');
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** To the program and whatever it started. */
  signalAll(name: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    if (isWindows) return void this.#child.kill(name);
    try {
      process.kill(-this.#child.pid, name);
    } catch {
      // All of them are gone.
    }
  }

  /** SIGSTOP to all of them. Returns once the program has stopped, where the system tells, or after a second. */
  suspend(): void {
    this.signalAll('SIGSTOP');
    const deadline = performance.now() + suspendMs;
    // On a busy machine its threads go on for some milliseconds, in which it may answer.
    while (!isSuspended(this.pid) && performance.now() < deadline) Atomics.wait(nobodyWakes, 0, 0, 1);
  }

  async kill(): Promise<void> {
    if (!this.#isRunning) return this.signalAll('SIGKILL');
    this.#child.ref();
    this.signalAll('SIGKILL');
    await this.#exited;
  }

  /** Asks it to end, and kills it when it has not within `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    if (!this.#isRunning) return;
    this.#child.ref();
    // A suspended process does not see SIGTERM before it goes on.
    this.signalAll('SIGCONT');
    this.#child.kill('SIGTERM');
    const deadline = setTimeout(() => this.signalAll('SIGKILL'), withinMs);
    await this.#exited;
    clearTimeout(deadline);
  }

  #keepLines(output: NodeJS.ReadableStream): void {
    (output as unknown as { unref(): void }).unref();
    let rest = '';
    output.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.#lines.push(...lines);
      if (this.#lines.length > keptLines) this.#lines.splice(0, this.#lines.length - keptLines);
    });
  }
}

/** Whether none of its threads runs. True as well where the system does not tell, and where it has ended. */
function isSuspended(pid: number): boolean {
  const threads = `/proc/${pid}/task`;
  try {
    if (!existsSync('/proc/self')) return execFileSync('ps', ['-o', 'state=', '-p', String(pid)]).includes('T');
    return readdirSync(threads).every((thread) => /\) [TtZX] /.test(readFileSync(`${threads}/${thread}/stat`, 'utf8')));
  } catch {
    return true;
  }
}

/**
 * Kills `pid` and its group once this process is gone, however it ends: the shell reads from a pipe that only this
 * process holds open, so that even a SIGKILL leaves no server behind.
 */
function endWithThisProcess(pid: number, child: ChildProcess): void {
  if (isWindows) {
    const onExit = (): void => void child.kill('SIGKILL');
    process.once('exit', onExit);
    child.once('exit', () => process.off('exit', onExit));
    return;
  }
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "-$0" "$0" 2>/dev/null', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  (guard.stdin as unknown as { unref(): void }).unref();
  guard.stdin.on('error', () => {});
  guard.on('error', () => {});
  child.once('exit', () => void guard.kill('SIGKILL'));
  guard.once('exit', () => void guard.stdin.destroy());
}
