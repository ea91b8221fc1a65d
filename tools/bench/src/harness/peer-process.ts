import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ContenderProgram } from '../contenders/contender.ts';

const answerWithinMs = 60_000;
const endWithinMs = 5_000;

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A process of the benchmark and the commands it answers: lines of JSON on a channel that Go can speak as well as Node.
 */
export class PeerProcess implements AsyncDisposable {
  readonly #what: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #count = 0;

  /** Runs `dist/peers/<name>.js`. */
  static ofNode(name: string, what: string, nodeOptions: readonly string[] = []): PeerProcess {
    const script = fileURLToPath(new URL(`./peers/${name}.js`, import.meta.url));
    return new PeerProcess(what, process.execPath, [...nodeOptions, script], process.env);
  }

  /** Runs a program that speaks the same. */
  static ofProgram({ program, environment }: ContenderProgram, half: string, what: string): PeerProcess {
    return new PeerProcess(what, program, [half], { ...process.env, ...environment });
  }

  constructor(what: string, program: string, parameters: readonly string[], environment: NodeJS.ProcessEnv) {
    this.#what = what;
    // What libraries print goes to stderr, for stdout is the report.
    this.#child = spawn(program, parameters, { stdio: ['ignore', 2, 2, 'ipc'], env: environment });
    this.#child.on('message', (reply: Reply) => this.#onReply(reply));
    this.#ended = new Promise((resolve) => {
      const end = (why: string): void => {
        for (const { reject } of this.#waiting.values()) reject(new Error(`${what}: ${why}`));
        this.#waiting.clear();
        resolve();
      };
      this.#child.once('error', (error) => end(error.message));
      this.#child.once('exit', (code, signal) => end(`the process ended with ${signal ?? code}`));
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`${this.#what}: the process did not start`);
    return pid;
  }

  /**
   * Has a command run and resolves with its result. Rejects with the process's own words, and where it takes too long.
   */
  request<Result>(command: string, parameters: unknown = {}, withinMs: number = answerWithinMs): Promise<Result> {
    const id = this.#count++;
    return new Promise<Result>((resolve, reject) => {
      const fail = (error: Error): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        reject(error);
      };
      const timer = setTimeout(() => {
        fail(new Error(`${this.#what}: no answer to ${command} within ${withinMs} ms`));
      }, withinMs);
      const succeed = (result: Result): void => {
        clearTimeout(timer);
        resolve(result);
      };
      this.#waiting.set(id, { resolve: succeed, reject: fail });
      if (!this.#child.connected) fail(new Error(`${this.#what}: the process has ended`));
      else this.#child.send({ id, command, parameters });
    });
  }

  /** Asks it to close what it opened, lets go of it, and kills it where it stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.request('close', {}, endWithinMs).catch(() => {});
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), endWithinMs);
    await this.#ended;
    clearTimeout(timer);
  }

  #onReply({ id, result, error }: Reply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result as never);
    else waiting?.reject(new Error(`${this.#what}: ${error}`));
  }
}
