import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { MicroError } from '@ts-micro/core';

const program = (name: 'server' | 'client') =>
  fileURLToPath(new URL(`./${name}.js`, import.meta.resolve('@ts-micro-examples/greeter')));

/** One program of the greeter example in a process of its own, with the lines that it prints. */
export class GreeterProcess implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  readonly #listeners = new Set<() => void>();

  constructor(name: 'server' | 'client', flags: readonly string[]) {
    this.#child = spawn(process.execPath, [program(name), ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#exit = once(this.#child, 'exit').then(([code]) => code as number | null);
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

  /** The first line that begins with `start`. */
  async line(start: string, withinMs = 10_000): Promise<string> {
    const find = () => this.lines.find((line) => line.startsWith(start));
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
      const fail = (why: string) => settle(new MicroError('timeout', `demo: no line "${start}..." ${why}`));
      signal.addEventListener('abort', () => fail(`within ${withinMs} ms`));
      void this.#exit.then(() => fail('before the process ended'));
      settle();
    });
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
