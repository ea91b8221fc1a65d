import { createRequire } from 'node:module';
import { Command } from 'commander';
import { addCall } from './commands/call.ts';
import { addCompletion } from './commands/completion.ts';
import { addDefinition } from './commands/definition.ts';
import { addDescribe } from './commands/describe.ts';
import { addDoctor } from './commands/doctor.ts';
import { addFlags } from './commands/flags.ts';
import { addHealth } from './commands/health.ts';
import { addNew } from './commands/new.ts';
import { addPublish } from './commands/publish.ts';
import { addServices } from './commands/services.ts';
import { addStats } from './commands/stats.ts';
import { addStream } from './commands/stream.ts';
import { addSubscribe } from './commands/subscribe.ts';
import { addTop } from './commands/top.ts';
import { addWatch } from './commands/watch.ts';
import type { RunCommand } from './fleet/run-command.ts';
import type { Terminal } from './terminal/terminal.ts';

const manifest: { readonly version: string } = createRequire(import.meta.url)('@ts-micro/cli/package.json');

/** In the order in which help lists them. */
const commands: readonly ((program: Command, run: RunCommand) => void)[] = [
  addServices,
  addDescribe,
  addCall,
  addStream,
  addPublish,
  addSubscribe,
  addWatch,
  addHealth,
  addStats,
  addTop,
  addDoctor,
  addDefinition,
  addNew,
  addFlags,
  addCompletion,
];

const footer = `
Plugins and servers are chosen by the same flags and variables as for services; without any
they are nats at 127.0.0.1:4222. Example: --nats_address=10.0.0.1 or MICRO_NATS_ADDRESS=10.0.0.1;
"ts-micro flags" lists them all.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 unavailable, 5 timeout, 130 interrupted.`;

/** Returns the commands with their arguments and options; `run` runs what is called. */
export function createProgram(terminal: Terminal, run: (isJson: boolean) => RunCommand): Command {
  let isJson = false;
  const program = new Command('ts-micro')
    .description('Look at a running fleet of services, call it, and find out what is wrong with it.')
    .version(manifest.version, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', footer)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
      getOutHelpWidth: () => Math.min(100, terminal.columns()),
      getErrHelpWidth: () => Math.min(100, terminal.columns()),
      outputError: (text, write) => write(`ts-micro: ${oneLine(text)}; see ts-micro help\n`),
    })
    .hook('preAction', (_program, action) => {
      isJson = action.optsWithGlobals().json === true;
    });
  addOutputOptions(program);
  for (const add of commands) add(program, (work) => run(isJson)(work));
  for (const command of program.commands) addOutputOptions(command.copyInheritedSettings(program));
  return program;
}

function addOutputOptions(command: Command): void {
  command
    .option('--json', 'print results as JSON')
    .option('--no-color', 'print without colours, as NO_COLOR=1 does')
    .option('--verbose', 'print what the plugins log');
}

function oneLine(text: string): string {
  return text
    .replace(/^error: /, '')
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
}
