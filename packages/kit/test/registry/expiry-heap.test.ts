import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExpiryHeap } from '../../src/registry/expiry-heap.ts';

test('it has first what expires first, whatever is set, moved and deleted', () => {
  const step = fc.record({
    item: fc.nat(30),
    expiresAt: fc.oneof(fc.nat(50), fc.constant(Number.POSITIVE_INFINITY)),
    isGone: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new ExpiryHeap();
      const items = Array.from({ length: 31 }, () => ({ expiresAt: 0, heapIndex: -1 }));
      const held = new Set<(typeof items)[number]>();
      for (const { item: index, expiresAt, isGone } of steps) {
        const item = items[index];
        if (item === undefined) continue;
        if (isGone) heap.delete(item);
        else heap.set(item, expiresAt);
        if (isGone || expiresAt === Number.POSITIVE_INFINITY) held.delete(item);
        else held.add(item);
        expect(heap.size).toBe(held.size);
        expect(heap.first?.expiresAt ?? Number.POSITIVE_INFINITY).toBe(
          Math.min(Number.POSITIVE_INFINITY, ...[...held].map((each) => each.expiresAt)),
        );
      }
    }),
  );
});
