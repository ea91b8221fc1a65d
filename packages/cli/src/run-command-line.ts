import type { Environment, FlaggedPlugins } from '@ts-micro/service';
import { CommanderError } from 'commander';
import { errorLine } from './error-line.ts';
import { exitCode, exitCodeOf } from './exit-code.ts';
import { chosenPlugins } from './fleet/plugin-catalogue.ts';
import type { RunCommand } from './fleet/run-command.ts';
import { createSession, terminalLogger } from './fleet/session.ts';
import { createProgram } from './program.ts';
import { paints, wantsColour } from './terminal/paint.ts';
import { processTerminal, type Terminal } from './terminal/terminal.ts';

export interface CommandLineOptions {
  /** @default the terminal of this process */
  readonly terminal?: Terminal | undefined;
  /** @default that of this process */
  readonly env?: Environment | undefined;
  /** Ends what is under way, as Ctrl-C does. */
  readonly signal?: AbortSignal | undefined;
}

const closeWithinMs = 2000;

/**
 * Runs one command line, without `node` and the program in front, and resolves with its exit code. Never rejects: what
 * goes wrong is one line on the terminal's `err`.
 */
export async function runCommandLine(argv: readonly string[], options: CommandLineOptions = {}): Promise<number> {
  const { terminal = processTerminal(), env = process.env, signal = new AbortController().signal } = options;
  let plugins: FlaggedPlugins | undefined;
  try {
    const logger = argv.includes('--verbose') ? terminalLogger(terminal) : undefined;
    plugins = chosenPlugins(argv, env, { logger });
    return await runProgram(plugins, { terminal, env, signal });
  } catch (error) {
    // Commander has told it already, or was asked for help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
    terminal.err.write(`${errorLine(error)}\n`);
    return exitCodeOf(error);
  } finally {
    await plugins?.close({ signal: AbortSignal.timeout(closeWithinMs) });
  }
}

async function runProgram(
  plugins: FlaggedPlugins,
  { terminal, env, signal }: Required<{ [K in keyof CommandLineOptions]: NonNullable<CommandLineOptions[K]> }>,
): Promise<number> {
  const { rest } = plugins;
  const hasColour = !rest.includes('--no-color') && wantsColour(env, terminal.isOutTerminal);
  let code: number = exitCode.done;
  const endWith = (wanted: number) => {
    code = wanted;
  };
  const run =
    (isJson: boolean): RunCommand =>
    async (work) => {
      await using session = createSession({ terminal, paint: paints(hasColour), signal, isJson, plugins, endWith });
      await work(session);
    };
  await createProgram(terminal, run).parseAsync([...rest], { from: 'user' });
  return code;
}
