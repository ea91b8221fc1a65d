import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a subject says: `event` names it. */
export interface Told {
  readonly event: string;
  readonly at: number;
  readonly [field: string]: unknown;
}

/** A program of `subjects/` in a process of its own, which can be killed and suspended. */
export class SubjectProcess implements AsyncDisposable {
  readonly told: Told[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #errors = '';

  /** Starts `subjects/<name>` and waits until it is ready. */
  static async start(name: string, settings: object): Promise<SubjectProcess> {
    const subject = new SubjectProcess(name, settings);
    try {
      await subject.heard('ready', 30_000);
    } catch (error) {
      await subject.kill();
      throw error;
    }
    return subject;
  }

  constructor(name: string, settings: object) {
    const program = fileURLToPath(new URL(`./subjects/${name}.js`, import.meta.url));
    const execArgv = ['--expose-gc'];
    this.#child = fork(program, [JSON.stringify(settings)], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'], execArgv });
    this.#exited = once(this.#child, 'exit');
    this.#child.on('message', (message) => this.told.push(message as Told));
    this.#child.on('error', (error) => {
      this.#errors += String(error);
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk).slice(-4000);
    });
  }

  get errors(): string {
    return this.#errors;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** 0 where it ended well. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** The first of what it told under this name from index `from` on, once it is there. */
  async heard(event: string, limitMs: number = 10_000, from: number = 0): Promise<Told> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const found = this.told.slice(from).find((told) => told.event === event);
      if (found !== undefined) return found;
      if (this.hasExited) throw new Error(`subject ended before "${event}": ${this.#errors}`);
      if (performance.now() > deadline) throw new Error(`subject: no "${event}" in ${limitMs} ms: ${this.#errors}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Gives it a command and waits for the answer, which has the command's name. */
  async ask(command: string, limitMs: number = 30_000): Promise<Told> {
    const from = this.told.length;
    this.#child.send({ command });
    return this.heard(command, limitMs, from);
  }

  /** What it told last under this name. */
  last(event: string): Told | undefined {
    return this.told.findLast((told) => told.event === event);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async exited(): Promise<void> {
    await this.#exited;
  }

  async kill(): Promise<void> {
    if (this.hasExited) return;
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
