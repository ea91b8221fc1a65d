import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Farther than any test that imports the file. */
const unreached = 100;
/** An index imports everything, which says little. */
const indexSteps = 5;

/** Tells which tests are near a source file: by how many imports lie between, and by the words of their names. */
export class NearTests {
  readonly #root: string;
  readonly #imports = new Map<string, readonly string[]>();

  constructor(root: string) {
    this.#root = root;
  }

  /** The tests, nearest first. */
  sorted(file: string, tests: readonly string[]): readonly string[] {
    return tests
      .map((test) => ({ test, distance: this.#steps(test, file) - 2 * sharedWords(test, file) }))
      .sort((one, other) => one.distance - other.distance)
      .map(({ test }) => test);
  }

  #steps(from: string, to: string): number {
    const steps = new Map([[from, 0]]);
    // Not in the order of distance, as an index counts for more: what is reached by a shorter way is seen again.
    const waiting = [from];
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const own = (steps.get(file) ?? 0) + (basename(file) === 'index.ts' ? indexSteps : 1);
      for (const next of this.#importsOf(file)) {
        if (own >= (steps.get(next) ?? unreached)) continue;
        steps.set(next, own);
        waiting.push(next);
      }
    }
    return steps.get(to) ?? unreached;
  }

  #importsOf(file: string): readonly string[] {
    let imports = this.#imports.get(file);
    if (imports === undefined) {
      const text = readFileSync(join(this.#root, file), 'utf8');
      const names = [...text.matchAll(/^(?:import|export|\} from).*?from '([^']+)'|^\} from '([^']+)'/gm)];
      imports = names
        .map(([, name = '', last = '']) => this.#resolve(file, name || last))
        .filter((path): path is string => path !== undefined);
      this.#imports.set(file, imports);
    }
    return imports;
  }

  #resolve(file: string, name: string): string | undefined {
    const own = /^@ts-micro\/([\w-]+)/.exec(name);
    const path = own === null ? join(dirname(file), name) : `packages/${own[1]}/src/index.ts`;
    return (own !== null || name.startsWith('.')) && existsSync(join(this.#root, path)) ? path : undefined;
  }
}

function sharedWords(test: string, file: string): number {
  const words = new Set(wordsOf(file));
  return wordsOf(test).filter((word) => words.has(word)).length;
}

function wordsOf(file: string): readonly string[] {
  return basename(file).replace(/\..*$/, '').split('-');
}
