import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fingerprint, KeptRows } from '../src/matrix/kept-rows.ts';
import type { Row } from '../src/matrix/matrix.ts';

test('a run goes on with the rows that one before it kept of the same code', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ts-micro-rows-'));
  try {
    const file = join(folder, 'rows.jsonl');
    new KeptRows(file, 'new').add(row('is kept'));
    new KeptRows(file, 'old').add(row('is of other code'));
    await appendFile(file, '{"of":"new","row":{"interface":"bro');
    const kept = new KeptRows(file, 'new');
    expect(kept.get('broker: is kept')).toEqual(row('is kept'));
    expect(kept.get('broker: is of other code')).toBeUndefined();
    expect(kept.get('broker: was never run')).toBeUndefined();
    // Behind a line that was cut off as well.
    kept.add(row('is run now'));
    expect(new KeptRows(file, 'new').get('broker: is run now')).toEqual(row('is run now'));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('other code has another fingerprint', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ts-micro-code-'));
  try {
    await writeFile(join(folder, 'a.js'), 'one');
    const before = fingerprint([folder]);
    await writeFile(join(folder, 'a.js.map'), 'no code');
    expect(fingerprint([folder])).toBe(before);
    await writeFile(join(folder, 'a.js'), 'two');
    expect(fingerprint([folder])).not.toBe(before);
  } finally {
    await rm(folder, { recursive: true });
  }
});

function row(name: string): Row {
  return { interface: 'broker', name, breaks: 'Something.', madeFor: [], caughtBy: ['broker/empty-message'] };
}
