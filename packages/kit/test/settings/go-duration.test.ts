import { expect, it } from 'vitest';
import { parseGoDuration } from '../../src/settings/go-duration.ts';

it.each([
  ['0', 0],
  ['500ms', 500],
  ['5s', 5000],
  ['+5s', 5000],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['1h2m3s4ms', 3_723_004],
  ['.5s', 500],
  ['1.s', 1000],
  ['250us', 0.25],
  ['250µs', 0.25],
  ['100ns', 0.0001],
])('reads %s as Go does', (text, ms) => {
  expect(parseGoDuration(text)).toBeCloseTo(ms, 9);
});

it.each(['', '5', 's', '.s', '5 s', '5S', '-5s', '1m 30s', '1d', '1e3s', '5sx', 'x5s', 'Infinity', '1..5s'])(
  'does not take "%s" for a duration',
  (text) => {
    expect(parseGoDuration(text)).toBe(undefined);
  },
);
