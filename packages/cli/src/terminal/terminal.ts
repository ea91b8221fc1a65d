import { isatty } from 'node:tty';

/** Where text goes. */
export interface Output {
  write(text: string): void;
}

/** What a command reads from and writes to. */
export interface Terminal {
  /** Results. */
  readonly out: Output;
  /** Progress, hints and errors. */
  readonly err: Output;
  /** What is piped or typed in. */
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined };
  /** Columns that a line of `out` may take; without a terminal there is no end. */
  readonly columns: () => number;
  readonly rows: () => number;
  /** True where a person looks at `out`. */
  readonly isOutTerminal: boolean;
  /** True where a person looks at `err`. */
  readonly isErrTerminal: boolean;
}

/** Returns the terminal of this process. A reader that leaves, as `head` does, ends the output and harms nothing. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  const ignore = () => {};
  stdout.on('error', ignore);
  stderr.on('error', ignore);
  return {
    out: { write: (text) => void stdout.write(text) },
    err: { write: (text) => void stderr.write(text) },
    input: stdin,
    columns: () => (isatty(1) ? stdout.columns || 80 : Number.POSITIVE_INFINITY),
    rows: () => (isatty(1) ? stdout.rows || 24 : 24),
    isOutTerminal: isatty(1),
    isErrTerminal: isatty(2),
  };
}
