import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Numbers that processes write down, each before it does what the number stands for; nothing is lost where one is
 * killed.
 */
export class Ledger implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'ts-micro-chaos-'));

  get file(): string {
    return join(this.folder, 'numbers');
  }

  /** How often each number was written. */
  counts(): Map<number, number> {
    const counts = new Map<number, number>();
    let text = '';
    try {
      text = readFileSync(this.file, 'utf8');
    } catch {
      // Nobody has written yet.
    }
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const number = Number(line);
      counts.set(number, (counts.get(number) ?? 0) + 1);
    }
    return counts;
  }

  /** The numbers in the order they were written. */
  numbers(): number[] {
    return readFileSync(this.file, 'utf8').split('\n').filter(Boolean).map(Number);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** For a subject: what writes a number down. */
export function openLedger(file: string): ((number: number) => void) & Disposable {
  const descriptor = openSync(file, 'a');
  return Object.assign((number: number) => void writeSync(descriptor, `${number}\n`), {
    [Symbol.dispose]: () => closeSync(descriptor),
  });
}
