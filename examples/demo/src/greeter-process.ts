import { fileURLToPath } from 'node:url';
import { ProgramProcess } from './program-process.ts';

const program = (name: 'server' | 'client') =>
  fileURLToPath(new URL(`./${name}.js`, import.meta.resolve('@ts-micro-examples/greeter')));

/** One program of the greeter example. `modules` are imported before it, as `node --import` does: more plugins. */
export class GreeterProcess extends ProgramProcess {
  constructor(name: 'server' | 'client', flags: readonly string[], modules: readonly string[] = []) {
    super(process.execPath, [...modules.map((module) => `--import=${module}`), program(name), ...flags]);
  }
}
