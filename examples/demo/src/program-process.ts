import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { MicroError } from '@ts-micro/core';

/** A program in a process of its own, with the lines that it prints. */
export class ProgramProcess implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  readonly #listeners = new Set<() => void>();

  constructor(program: string, parameters: readonly string[], environment: NodeJS.ProcessEnv = process.env) {
    this.#child = spawn(program, parameters, { stdio: ['pipe', 'pipe', 'inherit'], env: environment });
    this.#child.stdin?.on('error', () => {});
    this.#exit = once(this.#child, 'close').then(([code]) => code as number | null);
    const output = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    output.on('line', (line) => {
      this.lines.push(line);
      for (const listener of [...this.#listeners]) listener();
    });
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** The first line that has `part` in it. */
  async line(part: string, withinMs = 10_000): Promise<string> {
    const find = () => this.lines.find((line) => line.includes(part));
    const signal = AbortSignal.timeout(withinMs);
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => {
        const found = find();
        if (found === undefined && error === undefined) return;
        this.#listeners.delete(settle);
        if (found === undefined) reject(error);
        else resolve(found);
      };
      this.#listeners.add(settle);
      const fail = (why: string) => settle(new MicroError('timeout', `demo: no line with "${part}" ${why}`));
      signal.addEventListener('abort', () => fail(`within ${withinMs} ms`));
      void this.#exit.then(() => fail('before the process ended'));
      settle();
    });
  }

  /** Writes one line to its input. */
  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Waits for the end; resolves with the exit code, `null` where a signal ended it. */
  ended(): Promise<number | null> {
    return this.#exit;
  }

  async signal(name: NodeJS.Signals): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(name);
    return this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.signal('SIGKILL');
  }
}
