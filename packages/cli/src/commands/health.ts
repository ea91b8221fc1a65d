import type { Command } from 'commander';
import { exitCode } from '../exit-code.ts';
import { askNodes, isNotServed, type NodeAnswer } from '../fleet/ask-nodes.ts';
import { recordsOf } from '../fleet/find-service.ts';
import type { RunCommand } from '../fleet/run-command.ts';
import { readDuration } from '../input/option-values.ts';
import { durationText } from '../terminal/amounts.ts';
import { tableLines } from '../terminal/table.ts';

/** `ts-micro health [SERVICE]`: asks every node whether it is well. */
export function addHealth(program: Command, run: RunCommand): void {
  program
    .command('health')
    .argument('[service]', 'only this one')
    .option('--timeout <time>', 'how long a node may take', readDuration, 2000)
    .description('ask every node for its health (Debug.Health)')
    .action((service: string | undefined, { timeout }: { readonly timeout: number }) =>
      run(async (session) => {
        const { paint, terminal } = session;
        const records = await recordsOf(session, service);
        const answers = await askNodes(session, records, 'Debug.Health', timeout);
        if (answers.some((each) => !isWell(each))) session.endWith(exitCode.failed);
        if (session.isJson) return session.printJson(answers.map(jsonOf));
        if (answers.length === 0) return session.note('no node is registered');
        const rows = answers.map((each) => [
          each.service,
          each.version,
          each.node.id,
          { text: healthText(each), paint: isWell(each) ? paint.green : paint.red },
          durationText(each.elapsedMs),
        ]);
        const head = [
          { title: 'SERVICE', shrinks: true },
          { title: 'VERSION' },
          { title: 'NODE', shrinks: true },
          { title: 'HEALTH', shrinks: true },
          { title: 'TIME', isNumber: true },
        ];
        session.print(...tableLines(head, rows, terminal.columns(), paint));
      }),
    );
}

/** A node that answers that it has no such endpoint is there, and says no more. */
function isWell(each: NodeAnswer): boolean {
  return each.answer?.status === 'ok' || isNotServed(each);
}

function healthText(each: NodeAnswer): string {
  if (isNotServed(each)) return 'answers; no Debug.Health';
  if (each.error !== undefined) return `${each.error.code}: ${each.error.message}`;
  return typeof each.answer?.status === 'string' ? each.answer.status : JSON.stringify(each.answer);
}

function jsonOf(each: NodeAnswer): unknown {
  const { service, version, node, elapsedMs, answer, error } = each;
  return { service, version, node: node.id, ok: isWell(each), elapsedMs, answer, error: error?.message };
}
