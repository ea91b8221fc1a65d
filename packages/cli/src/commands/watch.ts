import type { Command } from 'commander';
import { RecordHistory, type RecordNews } from '../fleet/record-news.ts';
import type { RunCommand } from '../fleet/run-command.ts';
import type { Session } from '../fleet/session.ts';
import { untilOver } from '../fleet/until-over.ts';
import { readDuration } from '../input/option-values.ts';
import type { Painter } from '../terminal/paint.ts';
import { printable } from '../terminal/printable.ts';

interface WatchFlags {
  readonly for?: number;
}

/** `ts-micro watch [SERVICE]`: what joins, leaves and changes. */
export function addWatch(program: Command, run: RunCommand): void {
  program
    .command('watch')
    .argument('[service]', 'only this one')
    .option('--for <time>', 'end after this time: 10s, 5m', readDuration)
    .description('print what joins, leaves and changes in the registry, until Ctrl-C')
    .action((service: string | undefined, flags: WatchFlags) =>
      run((session) =>
        untilOver(session, flags.for, async ({ signal }) => {
          const watcher = await session.plugins.registry.watch({ service, signal });
          const history = new RecordHistory();
          try {
            for (let event = await watcher.receive({ signal }); event !== undefined; ) {
              if (session.isJson) session.printJson({ time: new Date().toISOString(), ...event });
              else for (const news of history.newsOf(event)) session.print(line(session, news));
              event = await watcher.receive({ signal });
            }
          } finally {
            await watcher.close();
          }
        }),
      ),
    );
}

function line({ paint }: Session, { kind, service, version, node }: RecordNews): string {
  const painters: Readonly<Record<RecordNews['kind'], readonly [string, Painter]>> = {
    'is there': ['=', paint.dim],
    joined: ['+', paint.green],
    registered: ['+', paint.green],
    left: ['-', paint.red],
    gone: ['-', paint.red],
    changed: ['~', paint.yellow],
  };
  const [sign, painter] = painters[kind];
  const time = new Date().toISOString().slice(11, 23);
  const where = node === undefined ? '' : `  ${printable(node.id)}  ${printable(node.address)}`;
  return `${paint.dim(time)} ${painter(`${sign} ${kind}`)}  ${printable(service)} ${printable(version)}${where}`;
}
