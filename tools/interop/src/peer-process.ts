import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** One line of a peer's output. */
export type PeerLine = { readonly [key: string]: unknown };

/** A process that speaks JSON lines. */
export class PeerProcess implements AsyncDisposable {
  readonly lines: PeerLine[] = [];
  /** What it wrote on stderr: Go Micro's log. */
  log = '';
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<unknown>;
  readonly #waiting = new Set<() => void>();
  #lastCommand = 0;
  #hasExited = false;
  #wasStopped = false;

  /** Starts `binary` and waits for its `ready` line where the command has one. */
  static async start(
    binary: string,
    parameters: readonly string[],
    { waitMs = 15_000, env = {} }: { readonly waitMs?: number; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<PeerProcess> {
    const environment = { ...process.env, ...env };
    const peer = new PeerProcess(spawn(binary, parameters, { stdio: ['pipe', 'pipe', 'pipe'], env: environment }));
    try {
      await peer.waitFor((line) => line.event === 'ready', `ready of ${parameters.join(' ')}`, waitMs);
    } catch (error) {
      await peer.kill();
      throw error;
    }
    return peer;
  }

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#process = child;
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (chunk: Buffer) => {
      this.log += chunk;
    });
    this.#exited = once(child, 'exit').then(() => {
      this.#hasExited = true;
      this.#wake();
    });
    createInterface(child.stdout).on('line', (text) => {
      this.lines.push(parseLine(text));
      this.#wake();
    });
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** Whether it was told to end. */
  get wasStopped(): boolean {
    return this.#wasStopped;
  }

  /** The `ready` line. */
  get ready(): PeerLine {
    return this.lines.find((line) => line.event === 'ready') ?? {};
  }

  /**
   * The first line, from index `from` on, that `matches`. Throws where it does not come in time or the process ends.
   */
  async waitFor(matches: (line: PeerLine) => boolean, what: string, waitMs = 10_000, from = 0): Promise<PeerLine> {
    const deadline = Date.now() + waitMs;
    for (let at = from; ; ) {
      for (; at < this.lines.length; at++) {
        const line = this.lines[at];
        if (line !== undefined && matches(line)) return line;
      }
      const leftMs = deadline - Date.now();
      if (this.#hasExited) throw new Error(`peer ended while waiting for ${what}: ${this.#tail()}`);
      if (leftMs <= 0) throw new Error(`peer: no ${what} within ${waitMs} ms: ${this.#tail()}`);
      await this.#change(leftMs);
    }
  }

  /** Sends one command to a `client` peer and waits for its answer. */
  async command(fields: PeerLine, waitMs = 30_000): Promise<PeerLine> {
    const id = String(++this.#lastCommand);
    const from = this.lines.length;
    this.#process.stdin.write(`${JSON.stringify({ ...fields, id })}\n`);
    return this.waitFor((line) => line.id === id && line.op === fields.op, `answer to ${fields.op}`, waitMs, from);
  }

  /** SIGTERM, and waits for the end; SIGKILL where it takes too long. */
  async stop(waitMs = 10_000): Promise<void> {
    if (this.#hasExited) return;
    this.#wasStopped = true;
    this.#process.stdin.end();
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), waitMs);
    await this.#exited;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    if (this.#hasExited) return;
    this.#wasStopped = true;
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #tail(): string {
    return `last lines ${JSON.stringify(this.lines.slice(-3))}, log ${this.log.slice(-600)}`;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #change(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

function parseLine(text: string): PeerLine {
  try {
    return JSON.parse(text) as PeerLine;
  } catch {
    return { event: 'text', text };
  }
}
