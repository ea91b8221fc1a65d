import type { EndpointRecord, ServiceRecord } from '@ts-micro/core';
import type { Command } from 'commander';
import { findService, isCallable } from '../fleet/find-service.ts';
import type { RunCommand } from '../fleet/run-command.ts';
import type { Session } from '../fleet/session.ts';
import { printable } from '../terminal/printable.ts';
import { shapeText } from '../terminal/shape.ts';
import { tableLines } from '../terminal/table.ts';

/** `ts-micro describe SERVICE`: its versions, nodes, endpoints and subscriptions. */
export function addDescribe(program: Command, run: RunCommand): void {
  program
    .command('describe')
    .argument('<service>')
    .option('--version <version>', 'only this version')
    .description('show the nodes, endpoints, shapes and metadata of a service')
    .action((name: string, { version }: { readonly version?: string }) =>
      run(async (session) => {
        const records = await findService(session, name, version);
        if (session.isJson) return session.printJson(records);
        for (const [at, record] of records.entries()) {
          if (at > 0) session.print('');
          describe(session, record);
        }
      }),
    );
}

function describe(session: Session, record: ServiceRecord): void {
  const { paint, terminal } = session;
  const columns = terminal.columns();
  const metadata = metadataText(record.metadata);
  session.print(`${paint.bold(printable(record.name))} ${printable(record.version)}`);
  if (metadata !== '') session.print(`metadata: ${printable(metadata)}`);
  const nodes = [{ title: 'NODE' }, { title: 'ADDRESS', shrinks: true }, { title: 'METADATA', shrinks: true }];
  const rows = record.nodes.map(({ id, address, metadata }) => [id, address, metadataText(metadata)]);
  session.print('', ...tableLines(nodes, rows, columns, paint));
  const endpoints = record.endpoints.filter(isCallable);
  if (endpoints.length > 0) session.print('', ...endpointLines(session, endpoints));
  const subscriptions = record.endpoints.filter((each) => !isCallable(each));
  if (subscriptions.length === 0) return;
  const topics = [
    { title: 'SUBSCRIBES TO', shrinks: true },
    { title: 'EVENT', shrinks: true },
  ];
  const events = subscriptions.map((each) => [each.metadata.topic ?? '', shapeText(each.request)]);
  session.print('', ...tableLines(topics, events, columns, paint));
}

function endpointLines({ paint, terminal }: Session, endpoints: readonly EndpointRecord[]): readonly string[] {
  const head = [
    { title: 'ENDPOINT' },
    { title: 'REQUEST', shrinks: true },
    { title: 'RESPONSE', shrinks: true },
    { title: 'METADATA', shrinks: true },
  ];
  const rows = endpoints.map(({ name, request, response, metadata }) => {
    const { stream, ...others } = metadata;
    const isStream = stream === 'true';
    return [
      name,
      isStream ? 'stream' : shapeText(request),
      isStream ? 'stream' : shapeText(response),
      metadataText(others),
    ];
  });
  return tableLines(head, rows, terminal.columns(), paint);
}

function metadataText(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .filter(([name]) => !name.endsWith('-schema'))
    .sort()
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
