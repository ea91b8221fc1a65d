import { writeFile } from 'node:fs/promises';
import { MicroError } from '@ts-micro/core';
import type { Command } from 'commander';
import { findService } from '../fleet/find-service.ts';
import type { RunCommand } from '../fleet/run-command.ts';

interface DefinitionFlags {
  readonly version?: string;
  readonly out?: string;
}

/** `ts-micro definition SERVICE`: the TypeScript definition of a running service. */
export function addDefinition(program: Command, run: RunCommand): void {
  program
    .command('definition')
    .argument('<service>')
    .option('--version <version>', 'of this version; else of the latest')
    .option('--out <file>', 'write it to this file, which must not be there yet')
    .description('write the TypeScript definition of a running service')
    .action((service: string, { version, out }: DefinitionFlags) =>
      run(async (session) => {
        const record = (await findService(session, service, version)).at(-1);
        if (record === undefined) return;
        const { definitionOf } = await import('@ts-micro/definition');
        const source = definitionOf(record);
        if (out === undefined) {
          if (session.isJson) return session.printJson({ service, version: record.version, source });
          return session.terminal.out.write(source);
        }
        try {
          await writeFile(out, source, { flag: 'wx' });
        } catch (error) {
          throw new MicroError('conflict', `${out} cannot be written: ${MicroError.textOf(error)}`);
        }
        if (session.isJson) return session.printJson({ service, version: record.version, file: out });
        session.note(`wrote ${out}; it imports @ts-micro/definition`);
      }),
    );
}
