import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

const patience = { timeout: 15_000, interval: 10 };

/** The flags for all three plugins on one NATS. */
export function natsFlags(address: string): string[] {
  return ['registry', 'transport', 'broker'].flatMap((kind) => [`--${kind}=nats`, `--${kind}_address=${address}`]);
}

/** One program of the example in a process of its own. What it printed is there line by line. */
export class GreeterProcess implements AsyncDisposable {
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly #child: ChildProcess;
  readonly #began = performance.now();
  #ranMs: number | undefined;

  constructor(program: 'server' | 'client' | 'in-code', parameters: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const file = fileURLToPath(new URL(`../dist/${program}.js`, import.meta.url));
    if (!existsSync(file))
      throw new Error(`${file} is not built; npm test builds it first, npm run build does it alone`);
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('MICRO_'));
    this.#child = spawn(process.execPath, [file, ...parameters], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...Object.fromEntries(inherited), ...env },
    });
    for (const name of ['stdout', 'stderr'] as const) {
      createInterface({ input: this.#child[name] as NodeJS.ReadableStream }).on('line', (line) =>
        this[name].push(line),
      );
    }
    this.#child.once('close', () => {
      this.#ranMs = performance.now() - this.#began;
    });
  }

  /** A greeter's server that is registered. */
  static async serve(parameters: readonly string[], env?: NodeJS.ProcessEnv): Promise<GreeterProcess> {
    const greeter = new GreeterProcess('server', parameters, env);
    try {
      await greeter.line(/^ready /);
      return greeter;
    } catch (error) {
      await greeter[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs the client to its end. */
  static async call(parameters: readonly string[], env?: NodeJS.ProcessEnv): Promise<Outcome> {
    await using client = new GreeterProcess('client', parameters, env);
    return await client.ended();
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** The node's id, from its ready line. */
  get id(): string {
    return this.stdout[0]?.split(' ')[2] as string;
  }

  /** The node's address, from its ready line. */
  get address(): string {
    return this.stdout[0]?.split(' ')[3] as string;
  }

  /** The first line on stdout that matches. */
  line(pattern: RegExp): Promise<string> {
    return vi.waitFor(() => {
      const line = this.stdout.find((candidate) => pattern.test(candidate));
      if (line === undefined) throw new Error(`no line ${pattern} among ${this.#all()}`);
      return line;
    }, patience);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits for its end. */
  ended(): Promise<Outcome> {
    return vi.waitFor(() => {
      if (this.#ranMs === undefined) throw new Error(`it still runs after ${this.#all()}`);
      return { code: this.#child.exitCode, stdout: this.stdout, stderr: this.stderr, ranMs: this.#ranMs };
    }, patience);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended();
  }

  #all(): string {
    return JSON.stringify({ stdout: this.stdout, stderr: this.stderr });
  }
}

/** How a process ended: `code` is `null` where a signal ended it. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  readonly ranMs: number;
}
