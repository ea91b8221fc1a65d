import { describe, expect, it } from 'vitest';
import { Latencies } from '../src/measure/latencies.ts';
import { bytesText, durationText } from '../src/terminal/amounts.ts';
import { compactJson, prettyJson } from '../src/terminal/json-text.ts';
import { paints } from '../src/terminal/paint.ts';
import { printable } from '../src/terminal/printable.ts';
import { tableLines } from '../src/terminal/table.ts';
import { fitted, widthOf } from '../src/terminal/width.ts';

const plain = paints(false);

describe('JSON texts', () => {
  const text = ' { "id" : 12345678901234567890, "a:b" : [ "x, \\"y\\" {" , null ], "none" : [ ], "empty":{} } ';

  it('keep every token when they are made compact', () => {
    expect(compactJson(text)).toBe('{"id":12345678901234567890,"a:b":["x, \\"y\\" {",null],"none":[],"empty":{}}');
  });

  it('are indented as JSON.stringify does it, numbers untouched', () => {
    const safe = text.replace('12345678901234567890', '7');
    expect(prettyJson(safe, plain)).toBe(JSON.stringify(JSON.parse(safe), undefined, 2));
    expect(prettyJson(text, plain)).toContain('"id": 12345678901234567890,');
  });
});

describe('text for a terminal', () => {
  it('shows controls and marks that reorder a line, and keeps what people write', () => {
    expect(printable('a\u001b[31m\u009b\u202eb\r\n')).toBe('a\\u001b[31m\\u009b\\u202eb\\u000d\\u000a');
    expect(printable('Ärger 漢字 👩\u200d💻')).toBe('Ärger 漢字 👩\u200d💻');
    const tagged = JSON.stringify('a\u{e0041}\u009bb');
    expect(printable(tagged)).toBe('"a\\udb40\\udc41\\u009bb"');
    expect(JSON.parse(printable(tagged))).toBe('a\u{e0041}\u009bb');
  });

  it('is measured in columns and cut to fit', () => {
    expect(['abc', '漢字', 'e\u0301', '👩\u200d💻'].map(widthOf)).toEqual([3, 4, 1, 2]);
    expect(fitted('漢字漢字', 5)).toBe('漢字…');
    expect(fitted('abc', 3)).toBe('abc');
  });

  it('stands in columns whatever its width', () => {
    const head = [{ title: 'A' }, { title: 'B', isNumber: true }];
    expect(
      tableLines(
        head,
        [
          ['漢', '1'],
          ['abcd', '22'],
        ],
        Number.POSITIVE_INFINITY,
        plain,
      ),
    ).toEqual(['A      B', '漢     1', 'abcd  22']);
  });

  it('stands in columns of bounded width though a cell has no bound, in any number of rows', () => {
    const rows = Array.from({ length: 200_000 }, () => ['b']);
    const lines = tableLines([{ title: 'A' }], [['x'.repeat(1_000_000)], ...rows], Number.POSITIVE_INFINITY, plain);
    expect(lines).toHaveLength(200_002);
    expect(lines[1]).toHaveLength(2001);
    expect(lines[2]).toBe('b');
  });

  it('tells amounts shortly', () => {
    expect([0.4212, 12.34, 512, 4200, 200_000, 187_200_000].map(durationText)).toEqual([
      '0.42 ms',
      '12.3 ms',
      '512 ms',
      '4.2 s',
      '3m20s',
      '2d4h',
    ]);
    expect([812, 4_404_019].map(bytesText)).toEqual(['812 B', '4.2 MiB']);
  });
});

describe('latencies', () => {
  it('give percentiles, and a histogram that counts every one', () => {
    const latencies = new Latencies();
    for (let ms = 1; ms <= 100; ms++) latencies.add(ms);
    const summary = latencies.summary();
    expect(summary).toMatchObject({ min: 1, mean: 50.5, p50: 50, p90: 90, p99: 99, max: 100 });
    expect(summary?.histogram.map(({ upToMs, count }) => [upToMs, count])).toEqual([
      [1, 1],
      [2, 1],
      [5, 3],
      [10, 5],
      [20, 10],
      [50, 30],
      [100, 50],
    ]);
    expect(new Latencies().summary()).toBeUndefined();
  });
});
