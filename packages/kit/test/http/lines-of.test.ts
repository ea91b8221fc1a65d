import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { linesOf } from '../../src/http.ts';

async function linesFrom(pieces: Iterable<string | Uint8Array>, most = 100): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(Readable.from(pieces, { objectMode: false }), most)) lines.push(line);
  return lines;
}

test('lines come whole, however they are cut', async () => {
  expect(await linesFrom(['a', 'b\nc', 'd\n\ne\nf\n'])).toEqual(['ab', 'cd', '', 'e', 'f']);
});

test('a character that is cut in two stays one', async () => {
  const bytes = Buffer.from('ä\n€\n');
  expect(await linesFrom(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(['ä', '€']);
});

test('what has no end is no line', async () => {
  expect(await linesFrom(['a\nb'])).toEqual(['a']);
  expect(await linesFrom([])).toEqual([]);
});

test('ends where a line is too long, and gives what came before', async () => {
  expect(await linesFrom(['a\n', 'x'.repeat(60), 'x'.repeat(60), '\nb\n'])).toEqual(['a']);
});

test('many short lines are not too long together', async () => {
  expect(await linesFrom(Array.from({ length: 50 }, (_, at) => `line ${at}\n`))).toHaveLength(50);
});

test('whoever leaves the loop ends the answer', async () => {
  const answer = Readable.from(['a\n', 'b\n'], { objectMode: false });
  for await (const line of linesOf(answer, 100)) if (line === 'a') break;
  expect(answer.destroyed).toBe(true);
});
