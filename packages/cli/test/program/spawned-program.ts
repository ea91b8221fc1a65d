import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('dist/', import.meta.url));
const builder = fileURLToPath(new URL('build.mjs', import.meta.url));

/** What a run of the program came to. */
export interface RunResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The program `ts-micro`, built from source once, to be run against a server. */
export class SpawnedProgram implements Disposable {
  readonly #place: string;
  readonly #address: string;

  constructor(address: string) {
    this.#place = `${folder}${process.pid}-${address.replaceAll(/\W/g, '-')}`;
    this.#address = address;
    const { status, stderr } = spawnSync(process.execPath, [builder, this.#place], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`the program does not build:\n${stderr}`);
  }

  /** Starts a run that goes on until it ends by itself, or is told to. */
  start(...words: readonly string[]): SpawnedRun {
    // Node 22 warns where both are there, though they are empty.
    const { NO_COLOR, FORCE_COLOR, ...others } = process.env;
    const env = { ...others, MICRO_NATS_ADDRESS: this.#address };
    return new SpawnedRun(spawn(process.execPath, [`${this.#place}/main.js`, ...words], { env }));
  }

  /** Runs it to its end, with `input` as standard input. */
  async run(words: readonly string[], input = ''): Promise<RunResult> {
    const run = this.start(...words);
    run.type(input);
    run.endInput();
    return run.ended;
  }

  [Symbol.dispose](): void {
    rmSync(this.#place, { recursive: true, force: true });
  }
}

/** A run that is under way. */
export class SpawnedRun {
  readonly ended: Promise<RunResult>;
  readonly #child: ChildProcess;
  out = '';
  err = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
    // The program may end before it has read everything.
    child.stdin?.on('error', () => {});
    const { promise, resolve } = withResolvers<RunResult>();
    child.on('close', (code) => resolve({ code, out: this.out, err: this.err }));
    this.ended = promise;
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Stops reading the results, as `head` does. */
  leave(): void {
    this.#child.stdout?.destroy();
  }

  /** Ctrl-C. */
  interrupt(): Promise<RunResult> {
    this.#child.kill('SIGINT');
    return this.ended;
  }
}

function withResolvers<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
