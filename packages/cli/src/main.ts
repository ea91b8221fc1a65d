#!/usr/bin/env node
import { runCommandLine } from './run-command-line.ts';

const interrupted = new AbortController();
const interrupt = () => {
  // The second Ctrl-C does not wait.
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort();
};
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);

const code = await runCommandLine(process.argv.slice(2), { signal: interrupted.signal });
// A terminal that still waits for a line, or a connection on its way out, must not hold the end; what is written must.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
