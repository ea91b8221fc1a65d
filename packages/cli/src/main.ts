#!/usr/bin/env node
import { exitCode } from './exit-code.ts';
import { runCommandLine } from './run-command-line.ts';
import { processTerminal } from './terminal/terminal.ts';

const interrupted = new AbortController();
const interrupt = () => {
  // The second Ctrl-C does not wait.
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort();
};
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);

let lost: NodeJS.ErrnoException | undefined;
// A command that goes on until it is interrupted has nobody to go on for.
const terminal = processTerminal((error) => {
  lost = error;
  interrupted.abort();
});

const code = await runCommandLine(process.argv.slice(2), { terminal, signal: interrupted.signal });
// A terminal that still waits for a line, or a connection on its way out, must not hold the end; what is written must.
process.stdout.write('', () => process.stderr.write('', () => process.exit(codeAfterWriting())));

function codeAfterWriting(): number {
  if (lost === undefined) return code;
  if (lost.code === 'EPIPE') return exitCode.done;
  process.stderr.write(`ts-micro: the output cannot be written: ${lost.message}\n`);
  return exitCode.failed;
}
