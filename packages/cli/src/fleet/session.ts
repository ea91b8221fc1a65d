import { type Logger, MicroError } from '@ts-micro/core';
import { type Client, createClient, type FlaggedPlugins } from '@ts-micro/service';
import type { Paint } from '../terminal/paint.ts';
import { printable } from '../terminal/printable.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** What every command works with. */
export interface Session {
  readonly terminal: Terminal;
  /** Colours `out`. */
  readonly paint: Paint;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Whether results are to be JSON: a document, or one on each line where they go on. */
  readonly isJson: boolean;
  /** The plugins that flags and environment choose. */
  readonly plugins: FlaggedPlugins;
  readonly client: Client;
  /** Writes lines to `out`. */
  print(...lines: readonly string[]): void;
  /** Writes one JSON document to `out`, on one line. */
  printJson(value: unknown): void;
  /** Writes a line for a person to `err`. */
  note(line: string): void;
  /** Has the program end with this code although the command itself succeeds. */
  endWith(code: number): void;
}

/** Returns the session of one command. */
export function createSession(init: {
  readonly terminal: Terminal;
  readonly paint: Paint;
  readonly signal: AbortSignal;
  readonly isJson: boolean;
  readonly plugins: FlaggedPlugins;
  readonly endWith: (code: number) => void;
}): Session & AsyncDisposable {
  const { terminal } = init;
  const client = createClient(init.plugins);
  return {
    ...init,
    client,
    print: (...lines) => terminal.out.write(lines.map((line) => `${line}\n`).join('')),
    printJson: (value) => terminal.out.write(`${printable(JSON.stringify(value))}\n`),
    note: (line) => terminal.err.write(`${line}\n`),
    [Symbol.asyncDispose]: () => client.close({ signal: AbortSignal.timeout(1000) }),
  };
}

/** Writes what plugins log to `err`, for `--verbose`. */
export function terminalLogger(terminal: Terminal): Logger {
  const log = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    const facts = Object.entries(fields ?? {}).map(
      ([name, value]) => ` ${name}=${printable(MicroError.textOf(value))}`,
    );
    terminal.err.write(`${level} ${message}${facts.join('')}\n`);
  };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}
