import type { Command } from 'commander';
import { examine } from '../doctor/examine.ts';
import type { Finding } from '../doctor/finding.ts';
import { exitCode } from '../exit-code.ts';
import type { RunCommand } from '../fleet/run-command.ts';
import type { Session } from '../fleet/session.ts';
import { readDuration } from '../input/option-values.ts';
import { printable } from '../terminal/printable.ts';

/** `ts-micro doctor`: tries what a service needs, one thing after the other, and says in words what is wrong. */
export function addDoctor(program: Command, run: RunCommand): void {
  program
    .command('doctor')
    .option('--timeout <time>', 'how long each of its tries may take', readDuration, 5000)
    .description('try what a service needs (connection, permissions, discovery, calls, events, clocks)')
    .action(({ timeout }: { readonly timeout: number }) =>
      run(async (session) => {
        const findings: Finding[] = [];
        for await (const finding of examine(session, timeout)) {
          findings.push(finding);
          if (!session.isJson) session.print(...lines(session, finding));
        }
        const failed = findings.filter(({ verdict }) => verdict === 'bad');
        if (failed.length > 0) session.endWith(exitCode.failed);
        if (session.isJson) return session.printJson({ ok: failed.length === 0, findings });
        const bad = `${failed.length} of ${findings.length} tries failed: begin with the first`;
        session.print('', failed.length === 0 ? 'All is well.' : bad);
      }),
    );
}

function lines({ paint }: Session, { verdict, about, words, advice }: Finding): readonly string[] {
  const signs = { good: paint.green('✓'), doubtful: paint.yellow('!'), bad: paint.red('✗'), skipped: paint.dim('-') };
  const told = `${signs[verdict]} ${paint.bold(about)}: ${printable(words)}`;
  return advice === undefined ? [told] : [told, `  ${paint.yellow('→')} ${printable(advice)}`];
}
