import type { Command } from 'commander';
import { exitCode } from '../exit-code.ts';
import { askNodes, isNotServed, type NodeAnswer } from '../fleet/ask-nodes.ts';
import { recordsOf } from '../fleet/find-service.ts';
import type { RunCommand } from '../fleet/run-command.ts';
import { readDuration } from '../input/option-values.ts';
import { bytesText, durationText } from '../terminal/amounts.ts';
import { tableLines } from '../terminal/table.ts';

/** `ts-micro stats [SERVICE]`: asks every node what it has done. */
export function addStats(program: Command, run: RunCommand): void {
  program
    .command('stats')
    .argument('[service]', 'only this one')
    .option('--timeout <time>', 'how long a node may take', readDuration, 2000)
    .description('ask every node for its numbers (Debug.Stats)')
    .action((service: string | undefined, { timeout }: { readonly timeout: number }) =>
      run(async (session) => {
        const { paint, terminal } = session;
        const records = await recordsOf(session, service);
        const answers = await askNodes(session, records, 'Debug.Stats', timeout);
        if (answers.some((each) => each.error !== undefined && !isNotServed(each))) session.endWith(exitCode.failed);
        if (session.isJson) return session.printJson(answers.map(jsonOf));
        if (answers.length === 0) return session.note('no node is registered');
        const head = [
          { title: 'SERVICE', shrinks: true },
          { title: 'VERSION' },
          { title: 'NODE', shrinks: true },
          { title: 'UP', isNumber: true },
          { title: 'MEMORY', isNumber: true },
          { title: 'THREADS', isNumber: true },
          { title: 'REQUESTS', isNumber: true },
          { title: 'ERRORS', isNumber: true },
        ];
        session.print(...tableLines(head, answers.map(rowOf), terminal.columns(), paint));
        for (const each of answers.filter(({ error }) => error !== undefined)) {
          const why = isNotServed(each) ? 'answers, and has no Debug.Stats' : each.error?.message;
          session.note(`${each.node.id}: ${why}`);
        }
      }),
    );
}

function rowOf({ service, version, node, answer }: NodeAnswer): readonly string[] {
  const amount = (name: string, text: (value: number) => string = String) => {
    const value = Number(answer?.[name] ?? Number.NaN);
    return Number.isFinite(value) ? text(value) : '-';
  };
  return [
    service,
    version,
    node.id,
    amount('uptime', (seconds) => durationText(seconds * 1000)),
    amount('memory', bytesText),
    amount('threads'),
    amount('requests'),
    amount('errors'),
  ];
}

function jsonOf({ service, version, node, elapsedMs, answer, error }: NodeAnswer): unknown {
  return { service, version, node: node.id, elapsedMs, stats: answer, error: error?.message };
}
