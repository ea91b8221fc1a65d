import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BytesHolder, ReassemblyBudget } from '../../src/frames/stream/reassembly-budget.ts';

const limit = 100;

test('what is held is what was taken and neither given back nor shed, and within the limit unless one alone has it', () => {
  const step = fc.record({ holder: fc.nat(7), bytes: fc.integer({ min: 1, max: 150 }), gives: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const budget = new ReassemblyBudget(limit);
      const held = new Map<BytesHolder, number>();
      const holders = Array.from({ length: 8 }, (_, index): BytesHolder => {
        const holder = { peer: `peer ${index % 3}`, shed: () => void held.delete(holder) };
        return holder;
      });
      for (const { holder: index, bytes, gives } of steps) {
        const holder = holders[index] as BytesHolder;
        if (gives) {
          budget.give(holder);
          held.delete(holder);
        } else {
          held.set(holder, (held.get(holder) ?? 0) + bytes);
          budget.take(holder, bytes);
          // Who has just brought bytes is never the idlest.
          expect(held.has(holder)).toBe(true);
        }
        const sum = [...held.values()].reduce((total, each) => total + each, 0);
        expect(budget.used).toBe(sum);
        expect(sum <= limit || held.size === 1).toBe(true);
        for (const peer of ['peer 0', 'peer 1', 'peer 2']) {
          const own = [...held].filter(([each]) => each.peer === peer);
          const part = own.reduce((total, [, each]) => total + each, 0);
          expect(part <= limit / 2 || own.length === 1).toBe(true);
        }
      }
      for (const holder of holders) budget.give(holder);
      expect(budget.used).toBe(0);
    }),
  );
});

test('the one whose last bytes came longest ago goes first', () => {
  const budget = new ReassemblyBudget(limit);
  const gone: string[] = [];
  const holder = (peer: string): BytesHolder => ({ peer, shed: (cause) => gone.push(`${peer} ${cause.code}`) });
  const [a, b, c] = [holder('a'), holder('b'), holder('c')];
  budget.take(a, 40);
  budget.take(b, 40);
  budget.take(a, 5);
  budget.take(c, 40);
  expect(gone).toEqual(['b unavailable']);
});
