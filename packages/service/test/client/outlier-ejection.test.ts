import { expect, it } from 'vitest';
import { OutlierEjection } from '../../src/client/retry/outlier-ejection.ts';

it('keeps an address out for one second, doubled with each failure of a try up to thirty', () => {
  const ejection = new OutlierEjection();
  let nowMs = 1000;
  const terms: number[] = [];
  for (let failure = 0; failure < 7; failure++) {
    ejection.fail('a', nowMs, nowMs);
    const failedAtMs = nowMs;
    while (ejection.isOut('a', nowMs)) nowMs += 100;
    terms.push(nowMs - failedAtMs);
  }
  expect(terms).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

it('takes failures of one outage for one', () => {
  const ejection = new OutlierEjection();
  for (let call = 0; call < 64; call++) ejection.fail('a', 1000, 2000 + call);
  expect(ejection.isOut('a', 2900)).toBe(true);
  expect(ejection.isOut('a', 3001)).toBe(false);
});

it('does not lengthen the term for failures within it', () => {
  const ejection = new OutlierEjection();
  ejection.fail('a', 0, 0);
  for (let nowMs = 100; nowMs < 1000; nowMs += 100) ejection.fail('a', nowMs, nowMs);
  expect(ejection.isOut('a', 1000)).toBe(false);
  expect(ejection.failedAtMs('a')).toBe(900);
});

it('lets one try through when the term is over', () => {
  const ejection = new OutlierEjection();
  ejection.fail('a', 0, 0);
  expect(ejection.isOut('a', 1000)).toBe(false);
  ejection.tries('a', 1000);
  expect(ejection.isOut('a', 1001)).toBe(true);
  expect(ejection.isOut('a', 2000)).toBe(false);
});

it('forgets what answered', () => {
  const ejection = new OutlierEjection();
  ejection.fail('a', 0, 0);
  ejection.clear('a');
  expect(ejection.isOut('a', 1)).toBe(false);
  expect(ejection.size).toBe(0);
});

it('starts over with an address that behaved for a minute', () => {
  const ejection = new OutlierEjection();
  ejection.fail('a', 0, 0);
  ejection.fail('a', 1500, 1500);
  ejection.fail('a', 100_000, 100_000);
  expect(ejection.isOut('a', 101_000)).toBe(false);
});

it('remembers no more than its limit', () => {
  const ejection = new OutlierEjection(3);
  for (const address of ['a', 'b', 'c', 'd']) ejection.fail(address, 0, 0);
  expect(ejection.size).toBe(3);
  expect(ejection.isOut('a', 1)).toBe(false);
  expect(ejection.isOut('d', 1)).toBe(true);
});

it('is out of use once nothing it remembers matters', () => {
  const ejection = new OutlierEjection();
  expect(ejection.isInUse(0)).toBe(false);
  ejection.fail('a', 0, 0);
  expect(ejection.isInUse(60_000)).toBe(true);
  expect(ejection.isInUse(61_001)).toBe(false);
  expect(ejection.size).toBe(0);
});

it('leaves one that is overloaded alone for a moment only, however often it says so', () => {
  const ejection = new OutlierEjection();
  for (let nowMs = 0; nowMs < 5000; nowMs += 100) {
    ejection.rest('a', nowMs);
    expect(ejection.isOut('a', nowMs + 99)).toBe(true);
    expect(ejection.isOut('a', nowMs + 100)).toBe(false);
  }
});

it('takes one that is overloaded and then fails for one that fails', () => {
  const ejection = new OutlierEjection();
  ejection.rest('a', 0);
  ejection.fail('a', 50, 50);
  expect(ejection.isOut('a', 1049)).toBe(true);
  expect(ejection.isOut('a', 1050)).toBe(false);
});
