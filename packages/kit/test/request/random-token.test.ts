import { randomToken } from '@ts-micro/kit';
import { expect, test } from 'vitest';

test('a token is 22 letters and digits, and no two are equal', () => {
  const tokens = Array.from({ length: 100_000 }, () => randomToken());
  expect(tokens.every((token) => /^[0-9A-Za-z]{22}$/.test(token))).toBe(true);
  expect(new Set(tokens).size).toBe(tokens.length);
});

test('each of the 62 letters is as likely as the others at each place', () => {
  const count = 62_000;
  const tokens = Array.from({ length: count }, () => randomToken());
  for (let place = 0; place < 22; place++) {
    const counts = new Map<string, number>();
    for (const token of tokens) {
      const letter = token[place] as string;
      counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }
    // 1000 each; eight standard deviations, which chance does not reach.
    expect(counts.size).toBe(62);
    for (const times of counts.values()) expect(Math.abs(times - count / 62)).toBeLessThan(8 * Math.sqrt(count / 62));
  }
});

test('a token shares no more letters with the one before it than chance makes', () => {
  const count = 20_000;
  let equal = 0;
  let last = randomToken();
  for (let index = 0; index < count; index++) {
    const token = randomToken();
    for (let place = 0; place < 22; place++) if (token[place] === last[place]) equal++;
    last = token;
  }
  const expected = (count * 22) / 62;
  expect(Math.abs(equal - expected)).toBeLessThan(8 * Math.sqrt(expected));
});
