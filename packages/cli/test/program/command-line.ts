import { PassThrough } from 'node:stream';
import { runCommandLine, type Terminal } from '@ts-micro/cli';
import type { RunResult } from './spawned-program.ts';

/** Runs command lines inside the test's own process, so that what they leave open fails the test. */
export class CommandLine {
  readonly #env: Readonly<Record<string, string>>;
  readonly #columns: number;

  constructor(
    address: string,
    options: { readonly columns?: number; readonly env?: Readonly<Record<string, string>> } = {},
  ) {
    this.#env = { MICRO_NATS_ADDRESS: address, ...options.env };
    this.#columns = options.columns ?? Number.POSITIVE_INFINITY;
  }

  start(...words: readonly string[]): CommandRun {
    return new CommandRun(words, this.#env, this.#columns);
  }

  async run(words: readonly string[], input = ''): Promise<RunResult> {
    const run = this.start(...words);
    run.input.end(input);
    return run.ended;
  }
}

/** A command line that is under way. */
export class CommandRun {
  out = '';
  err = '';
  readonly input: PassThrough = new PassThrough();
  readonly ended: Promise<RunResult>;
  readonly #interrupted = new AbortController();

  constructor(words: readonly string[], env: Readonly<Record<string, string>>, columns: number) {
    const terminal: Terminal = {
      out: {
        write: (text) => {
          this.out += text;
        },
      },
      err: {
        write: (text) => {
          this.err += text;
        },
      },
      input: this.input,
      columns: () => columns,
      rows: () => 24,
      isOutTerminal: false,
      isErrTerminal: false,
    };
    const { signal } = this.#interrupted;
    this.ended = runCommandLine(words, { terminal, env, signal }).then((code) => ({
      code,
      out: this.out,
      err: this.err,
    }));
  }

  /** Ctrl-C. */
  interrupt(): Promise<RunResult> {
    this.#interrupted.abort();
    return this.ended;
  }
}
