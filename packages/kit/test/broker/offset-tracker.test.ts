import { expect, test } from 'vitest';
import { OffsetTracker } from '../../src/index.ts';

test('up to where everything is done may be committed, and no further', () => {
  const tracker = new OffsetTracker();
  for (const offset of [5n, 6n, 7n]) expect(tracker.take(0, offset)).toBe(true);
  tracker.done(0, 6n);
  expect(tracker.takeChanges()).toEqual([{ partition: 0, offset: 5n }]);
  tracker.done(0, 5n);
  expect(tracker.takeChanges()).toEqual([{ partition: 0, offset: 7n }]);
  tracker.done(0, 7n);
  expect(tracker.takeChanges()).toEqual([{ partition: 0, offset: 8n }]);
  expect(tracker.takeChanges()).toEqual([]);
});

test('what was handed out is not handed out again', () => {
  const tracker = new OffsetTracker();
  expect([5n, 6n, 5n, 6n, 7n].map((offset) => tracker.take(0, offset))).toEqual([true, true, false, false, true]);
});

test('offsets that are missing hold nothing up', () => {
  const tracker = new OffsetTracker();
  tracker.begin(0, 3n);
  tracker.take(0, 5n);
  tracker.take(0, 9n);
  tracker.done(0, 9n);
  tracker.done(0, 5n);
  expect(tracker.takeChanges()).toEqual([{ partition: 0, offset: 10n }]);
});

test('partitions that are gone are forgotten', () => {
  const tracker = new OffsetTracker();
  tracker.take(0, 1n);
  tracker.take(1, 1n);
  tracker.done(0, 1n);
  tracker.done(1, 1n);
  tracker.keep([1]);
  tracker.done(0, 1n);
  expect(tracker.takeChanges()).toEqual([{ partition: 1, offset: 2n }]);
  expect(tracker.take(0, 1n)).toBe(true);
});
