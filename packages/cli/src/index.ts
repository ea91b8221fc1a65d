export { exitCode } from './exit-code.ts';
export { runCommandLine } from './run-command-line.ts';

export type { CommandLineOptions } from './run-command-line.ts';
export type { Output, Terminal } from './terminal/terminal.ts';
