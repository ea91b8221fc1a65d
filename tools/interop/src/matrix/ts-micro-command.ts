import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What one run of the program came to. */
export interface TsMicroResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const program = fileURLToPath(new URL('./main.js', import.meta.resolve('@ts-micro/cli')));
const runWithinMs = 60_000;

/** One run of `ts-micro` as a program, against a NATS server; disposing of it ends it. */
export class TsMicroCommand implements Disposable {
  readonly ended: Promise<TsMicroResult>;
  readonly #child: ChildProcess;
  out = '';
  err = '';

  constructor(nats: string, words: readonly string[], input = '') {
    const env = { ...process.env, MICRO_NATS_ADDRESS: nats, NO_COLOR: '1' };
    const child = spawn(process.execPath, [program, ...words], { env, timeout: runWithinMs, killSignal: 'SIGKILL' });
    this.#child = child;
    child.stdout.on('data', (text) => {
      this.out += text;
    });
    child.stderr.on('data', (text) => {
      this.err += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    this.ended = new Promise((resolve) => {
      child.once('close', (code) => resolve({ code, out: this.out, err: this.err }));
    });
  }

  /** Ctrl-C. */
  interrupt(): Promise<TsMicroResult> {
    this.#child.kill('SIGINT');
    return this.ended;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

/** The command that starts `ts-micro` in a shell. */
export function tsMicroCommandLine(nats: string, ...words: readonly string[]): string {
  return ['env', `MICRO_NATS_ADDRESS=${nats}`, process.execPath, program, ...words]
    .map((word) => `'${word}'`)
    .join(' ');
}
