import { MicroError } from '@ts-micro/core';
import type { Command } from 'commander';
import type { RunCommand } from '../fleet/run-command.ts';
import { checkProjectName } from '../project/names.ts';
import { type PluginInterface, pluginInterfaces, pluginProject } from '../project/plugin-project.ts';
import type { ProjectFiles } from '../project/project-files.ts';
import { serviceProject } from '../project/service-project.ts';
import { writeProject } from '../project/write-project.ts';

interface NewFlags {
  readonly interface: string;
  readonly out?: string;
}

/** `ts-micro new service|plugin NAME`: a project to begin with. */
export function addNew(program: Command, run: RunCommand): void {
  program
    .command('new')
    .argument('<kind>', 'service or plugin')
    .argument('<name>')
    .option('--interface <interface>', `what a plugin implements: ${pluginInterfaces.join(', ')}`, 'broker')
    .option('--out <folder>', 'write it to this folder; else to one of its name')
    .description('write a project to begin with: a service, or a plugin and its contract')
    .action((kind: string, name: string, flags: NewFlags) =>
      run(async (session) => {
        const { out: folder = name } = flags;
        checkProjectName(name);
        const files = filesOf(kind, name, flags.interface);
        await writeProject(folder, files);
        if (session.isJson) return session.printJson({ kind, name, folder, files: Object.keys(files).sort() });
        session.print(...Object.keys(files).sort());
        const isPlugin = kind === 'plugin';
        const next = isPlugin ? 'npm test says what is missing' : 'npm test, npm run build, npm start';
        session.note(
          `wrote a ${isPlugin ? flags.interface : 'service'} to ${folder}; there, npm install, then ${next}`,
        );
      }),
    );
}

function filesOf(kind: string, name: string, implemented: string): ProjectFiles {
  if (kind === 'service') return serviceProject(name);
  if (kind !== 'plugin') throw new MicroError('invalid', `a ${kind} cannot be made: it is a service or a plugin`);
  if (!pluginInterfaces.includes(implemented as PluginInterface)) {
    const choices = pluginInterfaces.join(', ');
    throw new MicroError('invalid', `a plugin implements one of ${choices}, not "${implemented}"`);
  }
  return pluginProject(name, implemented as PluginInterface);
}
