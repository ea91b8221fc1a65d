import { listFlags } from '@ts-micro/service';
import type { Command } from 'commander';
import type { RunCommand } from '../fleet/run-command.ts';
import { tableLines } from '../terminal/table.ts';

/** `ts-micro flags`: what chooses plugins and servers. */
export function addFlags(program: Command, run: RunCommand): void {
  program
    .command('flags')
    .description('list the flags and variables that choose plugins and servers, the same as for services')
    .action(() =>
      run(async (session) => {
        const flags = listFlags();
        if (session.isJson) return session.printJson(flags);
        const rows = flags.map(({ name, about }) => [`--${name}`, `MICRO_${name.toUpperCase()}`, about]);
        const head = [{ title: 'FLAG' }, { title: 'VARIABLE' }, { title: 'WHAT IT IS', shrinks: true }];
        session.print(...tableLines(head, rows, session.terminal.columns(), session.paint));
      }),
    );
}
