import { expect, test } from 'vitest';
import { summarise } from '../src/harness/report/statistics.ts';
import { judge, judgeNumber } from '../src/harness/target.ts';

test('quartiles are interpolated', () => {
  expect(summarise([4, 1, 2, 3])).toEqual({ median: 2.5, low: 1.75, high: 3.25, min: 1, max: 4, count: 4 });
});

test('the median decides, on either side of a limit', () => {
  const summary = summarise([0.5, 0.9, 2]);
  expect(judge('row', summary, { atLeast: 0.9, unit: 'x raw' })).toMatchObject({
    target: '>= 0.9 x raw',
    verdict: 'met',
  });
  expect(judge('row', summary, { atLeast: 0.91 }).verdict).toBe('missed');
  expect(judge('row', summary, { atMost: 0.9 }).verdict).toBe('met');
  expect(judge('row', summary, { atMost: 0.89 })).toMatchObject({ target: '<= 0.89', verdict: 'missed' });
});

test('what was not measured says why', () => {
  expect(judge('row', undefined, { atMost: 1 }, 'without Go')).toMatchObject({
    measured: 'without Go',
    verdict: 'not measured',
  });
});

test('a count is judged and shown as it is', () => {
  expect(judgeNumber('row', 4, { atMost: 6 })).toMatchObject({ measured: '4', verdict: 'met' });
});
