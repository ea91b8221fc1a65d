import { expect, test } from 'vitest';
import { shown } from '../../src/index.ts';

test('what a peer chose is shown as it is where that does no harm', () => {
  for (const text of ['', 'Greeter.Hello', 'Grüße 👋', 'a "b" \\u']) expect(shown(text)).toBe(text);
});

test('what ends a line or commands a terminal is written out', () => {
  expect(shown('\u001b[2Ja\r\nb\u0000\u009b\u2028')).toBe('\\u001b[2Ja\\u000d\\u000ab\\u0000\\u009b\\u2028');
});

test('no more than the beginning is shown of a long text', () => {
  expect(shown('x'.repeat(1_000_000))).toBe(`${'x'.repeat(200)}...`);
  expect(shown('\u001b'.repeat(1_000_000))).toHaveLength(6 * 200 + 3);
});
