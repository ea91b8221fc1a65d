import { expect, it } from 'vitest';
import { Quarantine } from '../../src/client/retry/outlier-ejection.ts';

it('keeps an address out for one second, doubled with each failure of a try up to thirty', () => {
  const quarantine = new Quarantine();
  let nowMs = 1000;
  const terms: number[] = [];
  for (let failure = 0; failure < 7; failure++) {
    quarantine.fail('a', nowMs, nowMs);
    const failedAtMs = nowMs;
    while (quarantine.isOut('a', nowMs)) nowMs += 100;
    terms.push(nowMs - failedAtMs);
  }
  expect(terms).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

it('takes failures of one outage for one', () => {
  const quarantine = new Quarantine();
  for (let call = 0; call < 64; call++) quarantine.fail('a', 1000, 2000 + call);
  expect(quarantine.isOut('a', 2900)).toBe(true);
  expect(quarantine.isOut('a', 3001)).toBe(false);
});

it('does not lengthen the term for failures within it', () => {
  const quarantine = new Quarantine();
  quarantine.fail('a', 0, 0);
  for (let nowMs = 100; nowMs < 1000; nowMs += 100) quarantine.fail('a', nowMs, nowMs);
  expect(quarantine.isOut('a', 1000)).toBe(false);
  expect(quarantine.failedAtMs('a')).toBe(900);
});

it('lets one try through when the term is over', () => {
  const quarantine = new Quarantine();
  quarantine.fail('a', 0, 0);
  expect(quarantine.isOut('a', 1000)).toBe(false);
  quarantine.tries('a', 1000);
  expect(quarantine.isOut('a', 1001)).toBe(true);
  expect(quarantine.isOut('a', 2000)).toBe(false);
});

it('forgets what answered', () => {
  const quarantine = new Quarantine();
  quarantine.fail('a', 0, 0);
  quarantine.clear('a');
  expect(quarantine.isOut('a', 1)).toBe(false);
  expect(quarantine.size).toBe(0);
});

it('starts over with an address that behaved for a minute', () => {
  const quarantine = new Quarantine();
  quarantine.fail('a', 0, 0);
  quarantine.fail('a', 1500, 1500);
  quarantine.fail('a', 100_000, 100_000);
  expect(quarantine.isOut('a', 101_000)).toBe(false);
});

it('remembers no more than its limit', () => {
  const quarantine = new Quarantine(3);
  for (const address of ['a', 'b', 'c', 'd']) quarantine.fail(address, 0, 0);
  expect(quarantine.size).toBe(3);
  expect(quarantine.isOut('a', 1)).toBe(false);
  expect(quarantine.isOut('d', 1)).toBe(true);
});

it('is out of use once nothing it remembers matters', () => {
  const quarantine = new Quarantine();
  expect(quarantine.isInUse(0)).toBe(false);
  quarantine.fail('a', 0, 0);
  expect(quarantine.isInUse(60_000)).toBe(true);
  expect(quarantine.isInUse(61_001)).toBe(false);
  expect(quarantine.size).toBe(0);
});
