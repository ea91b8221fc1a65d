import { expect, test } from 'vitest';
import { PeerWatch } from '../../src/frames/peers/peer-watch.ts';

/** A watch over a clock that is set by hand; a peer is probed after 10 ticks, and has 4 to answer. */
function watched() {
  const clock = { now: 0 };
  const watch = new PeerWatch(clock);
  const judge = (now: number) => {
    clock.now = now;
    const verdict = watch.judge(10, 4);
    if (verdict === 'probe') watch.probed();
    return verdict;
  };
  return { watch, judge };
}

test('a peer that is heard is left alone', () => {
  const { watch, judge } = watched();
  for (let now = 1; now < 100; now++) {
    expect(judge(now)).toBe('leave');
    watch.heard();
  }
});

test('a quiet peer is probed once, and gone where it does not answer in its time', () => {
  const { judge } = watched();
  expect([judge(10), judge(11), judge(12), judge(15)]).toEqual(['leave', 'probe', 'leave', 'leave']);
  expect([judge(16), judge(17)]).toEqual(['gone', 'gone']);
});

test('a quiet peer that answers is probed again after the idle time', () => {
  const { watch, judge } = watched();
  expect(judge(11)).toBe('probe');
  watch.heard();
  expect([judge(16), judge(21), judge(22)]).toEqual(['leave', 'leave', 'probe']);
});
