import { type ChildProcess, spawn } from 'node:child_process';
import { MicroError } from '@ts-micro/core';

const keptLines = 500;

/** One run of the nats-server program, from spawn to exit. */
export class NatsProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #exited: Promise<void>;
  #isRunning = true;

  constructor(program: string, parameters: readonly string[]) {
    this.#child = spawn(program, parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#exited = new Promise((resolve) => {
      const onEnd = (error?: Error): void => {
        if (error instanceof Error) this.#lines.push(error.message);
        this.#isRunning = false;
        resolve();
      };
      this.#child.once('error', onEnd);
      this.#child.once('exit', () => onEnd());
    });
    this.#keepLines();
    // A server that a test forgot neither keeps the test process alive nor outlives it.
    this.#child.unref();
    (this.#child.stderr as unknown as { unref(): void }).unref();
    if (this.#child.pid !== undefined) endWithThisProcess(this.#child.pid, this.#child);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new MicroError('unavailable', `nats-server: ${this.logs()}`);
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

  async kill(): Promise<void> {
    if (!this.#isRunning) return;
    this.#child.ref();
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Asks it to end, and kills it when it has not within `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    if (!this.#isRunning) return;
    this.#child.ref();
    // A suspended process does not see SIGTERM before it goes on.
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGTERM');
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), withinMs);
    await this.#exited;
    clearTimeout(deadline);
  }

  #keepLines(): void {
    let rest = '';
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.#lines.push(...lines);
      if (this.#lines.length > keptLines) this.#lines.splice(0, this.#lines.length - keptLines);
    });
  }
}

/**
 * Kills `pid` once this process is gone, however it ends: the shell reads from a pipe that only this process holds
 * open,
 * so that even a SIGKILL leaves no server behind.
 */
function endWithThisProcess(pid: number, child: ChildProcess): void {
  if (process.platform === 'win32') {
    const onExit = (): void => void child.kill('SIGKILL');
    process.once('exit', onExit);
    child.once('exit', () => process.off('exit', onExit));
    return;
  }
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$0" 2>/dev/null', String(pid)], {
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
