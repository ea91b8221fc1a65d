import { describe, expect, test } from 'vitest';
import { SentRecord } from '../../src/frames/stream/sent-record.ts';

/** Plays what happened, a letter each: b(egun), g(iven up), o(ther frame), u(pdate came), a(nswered). */
function after(happened: string): SentRecord {
  const record = new SentRecord();
  const steps = {
    b: () => record.begin(),
    g: () => record.giveUp(),
    o: () => record.other(),
    u: () => record.alive(),
    a: () => record.answered(),
  };
  for (const letter of happened) steps[letter as keyof typeof steps]();
  return record;
}

describe('"no responders" is safe to retry', () => {
  for (const happened of ['b', 'bab', 'bbab', 'bgb', 'boab', 'baoub']) {
    test(`after ${happened}, where it can be about one message only`, () => {
      expect(after(happened).isSafeAfterNoResponders).toBe(true);
    });
  }
  for (const happened of ['', 'bb', 'ba', 'bao', 'bo', 'babb', 'bg', 'baob', 'bouo']) {
    test(`not after "${happened}", where another may have been taken, or none was sent`, () => {
      expect(after(happened).isSafeAfterNoResponders).toBe(false);
    });
  }
});

describe('a close is safe to retry', () => {
  for (const [happened, received] of [
    ['b', 0],
    ['bab', 1],
    ['bb', 0],
  ] as const) {
    test(`after ${happened}, where the peer received ${received}`, () => {
      expect(after(happened).isSafeAfterClose(received)).toBe(true);
    });
  }
  for (const [happened, received] of [
    ['', 0],
    ['b', 1],
    ['ba', 1],
    ['bab', 2],
    ['bb', 1],
  ] as const) {
    test(`not after "${happened}", where the peer received ${received}`, () => {
      expect(after(happened).isSafeAfterClose(received)).toBe(false);
    });
  }
});
