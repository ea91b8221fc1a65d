import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { type Row, titleOf } from './matrix.ts';

interface Line {
  readonly of: string;
  readonly row: Row;
}

/** Rows in a file, one JSON line each, so that a run that broke off goes on where it ended. */
export class KeptRows {
  readonly #file: string;
  readonly #of: string;
  readonly #rows = new Map<string, Row>();

  /** Reads the rows that are there already; `of` names what they are true of, and others are left aside. */
  constructor(file: string, of: string) {
    this.#file = file;
    this.#of = of;
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    for (const line of text.split('\n')) {
      const read = parse(line);
      if (read?.of === of) this.#rows.set(titleOf(read.row), read.row);
    }
  }

  /** The row of `interface: name`, if it is known. */
  get(title: string): Row | undefined {
    return this.#rows.get(title);
  }

  /** One line at a time, so that runs side by side may share the file. */
  add(row: Row): void {
    this.#rows.set(titleOf(row), row);
    // The line before it may have been cut off.
    appendFileSync(this.#file, `\n${JSON.stringify({ of: this.#of, row } satisfies Line)}`);
  }
}

/** A line may have been cut off as a run ended. */
function parse(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}

/** Names the code in these folders: another mutant, case or backend gives another name. */
export function fingerprint(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => ['.js', '.ts'].includes(extname(name))).sort())
      hash.update(file).update(readFileSync(join(folder, file)));
  }
  return hash.digest('hex').slice(0, 16);
}
