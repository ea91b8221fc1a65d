import { MicroError } from '@ts-micro/core';
import type { Command } from 'commander';
import { completions } from '../completion/completions.ts';
import { completionScript, shells } from '../completion/scripts.ts';
import type { RunCommand } from '../fleet/run-command.ts';
import type { Session } from '../fleet/session.ts';

/** `ts-micro completion SHELL`: the script that a shell completes by; it asks `ts-micro complete`, which is hidden. */
export function addCompletion(program: Command, run: RunCommand): void {
  program
    .command('completion')
    .argument('<shell>', shells.join(', '))
    .description('print the script that completes ts-micro in bash, zsh or fish')
    .action((shell: string) =>
      run(async (session) => {
        const script = completionScript(shell);
        if (script === undefined)
          throw new MicroError('invalid', `the shell "${shell}" is not one of ${shells.join(', ')}`);
        if (session.isJson) return session.printJson({ shell, script });
        session.terminal.out.write(script);
      }),
    );
  program
    .command('complete', { hidden: true })
    .argument('[words...]', 'the words behind ts-micro, the last one unfinished')
    .allowUnknownOption()
    .passThroughOptions()
    .action((words: readonly string[]) => run((session) => printCompletions(session, program, words)));
}

async function printCompletions(session: Session, program: Command, words: readonly string[]): Promise<void> {
  const found = await completions(program, words, async () => {
    const signal = AbortSignal.any([session.signal, AbortSignal.timeout(1500)]);
    return session.plugins.registry.listServices({ signal });
  });
  session.print(...found);
}
