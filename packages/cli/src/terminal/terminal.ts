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

/**
 * Returns the terminal of this process. A reader that leaves, as `head` does, harms nothing: `onLost` is told once, by
 * `EPIPE`, or by why else nothing can be written, and after a reader that left there is nothing to tell.
 */
export function processTerminal(onLost: (error: NodeJS.ErrnoException) => void = () => {}): Terminal {
  const { stdin, stdout, stderr } = process;
  let lost: NodeJS.ErrnoException | undefined;
  stdout.on('error', (error) => {
    if (lost !== undefined) return;
    lost = error;
    onLost(error);
  });
  stderr.on('error', () => {});
  return {
    out: { write: (text) => void (lost === undefined && stdout.write(text)) },
    err: { write: (text) => void (lost?.code !== 'EPIPE' && stderr.write(text)) },
    input: stdin,
    columns: () => (isatty(1) ? stdout.columns || 80 : Number.POSITIVE_INFINITY),
    rows: () => (isatty(1) ? stdout.rows || 24 : 24),
    isOutTerminal: isatty(1),
    isErrTerminal: isatty(2),
  };
}
