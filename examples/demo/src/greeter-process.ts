import { fileURLToPath } from 'node:url';
import { ProgramProcess } from './program-process.ts';

const program = (name: 'server' | 'client') =>
  fileURLToPath(new URL(`./${name}.js`, import.meta.resolve('@ts-micro-examples/greeter')));

/** One program of the greeter example. */
export class GreeterProcess extends ProgramProcess {
  constructor(name: 'server' | 'client', flags: readonly string[]) {
    super(process.execPath, [program(name), ...flags]);
  }
}
