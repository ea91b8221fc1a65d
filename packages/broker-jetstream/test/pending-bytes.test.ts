import { expect, test } from 'vitest';
import { PendingBytes } from '../src/subscription/pending-bytes.ts';

test('all together have eight times what one may have, and each a 64th of its own beyond that', () => {
  const all = new PendingBytes(6400);
  const slow = Array.from({ length: 8 }, () => all.part());
  expect(all.most).toBe(6400);
  for (const part of slow) part.count(6400);
  expect([all.used, all.most]).toEqual([8 * 6400, 100]);
  const other = all.part();
  other.count(100);
  slow[0]?.count(-200);
  expect([all.used, all.most]).toEqual([8 * 6400 - 100, 6400]);
});

test('an equal part is no more than one may have, and no less than a 64th of it', () => {
  const all = new PendingBytes(6400);
  const parts = [all.part()];
  expect(all.equalPart).toBe(6400);
  while (parts.length < 16) parts.push(all.part());
  expect(all.equalPart).toBe(3200);
  while (parts.length < 2000) parts.push(all.part());
  expect(all.equalPart).toBe(100);
  for (const part of parts.slice(8)) part.release();
  expect(all.equalPart).toBe(6400);
});

test('what was released gives all back, once, and counts no more', () => {
  const all = new PendingBytes(6400);
  const part = all.part();
  const other = all.part();
  part.count(500);
  other.count(70);
  part.release();
  part.release();
  part.count(1000);
  expect([part.bytes, all.used]).toEqual([0, 70]);
});
