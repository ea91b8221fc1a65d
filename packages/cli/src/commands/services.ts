import type { Command } from 'commander';
import { byVersion, isCallable } from '../fleet/find-service.ts';
import type { RunCommand } from '../fleet/run-command.ts';
import { tableLines } from '../terminal/table.ts';

/** `ts-micro services`: what is registered. */
export function addServices(program: Command, run: RunCommand): void {
  program
    .command('services')
    .description('list the services that are registered, with their versions and nodes')
    .action(() =>
      run(async (session) => {
        const { plugins, paint, terminal, signal } = session;
        const records = [...(await plugins.registry.listServices({ signal }))].sort(byVersion);
        if (session.isJson) return session.printJson(records);
        if (records.length === 0) return session.note('no service is registered');
        const rows = records.map((record) => [
          record.name,
          record.version,
          String(record.nodes.length),
          String(record.endpoints.filter(isCallable).length),
          [...new Set(record.endpoints.filter((each) => !isCallable(each)).map((each) => each.metadata.topic))].join(
            ', ',
          ),
        ]);
        const head = [
          { title: 'SERVICE', shrinks: true },
          { title: 'VERSION' },
          { title: 'NODES', isNumber: true },
          { title: 'ENDPOINTS', isNumber: true },
          { title: 'SUBSCRIBES TO', shrinks: true },
        ];
        session.print(...tableLines(head, rows, terminal.columns(), paint));
      }),
    );
}
