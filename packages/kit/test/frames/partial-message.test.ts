import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PartialMessage } from '../../src/frames/stream/partial-message.ts';

const sizes = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 60_000, max: 70_000 }));

test('chunks of any sizes, in memory of their own or others, are the message', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(sizes, fc.boolean()), { minLength: 1, maxLength: 40 }), (chunks) => {
      const whole = Buffer.alloc(chunks.reduce((total, [size]) => total + size, 0));
      for (let index = 0; index < whole.length; index++) whole[index] = index % 251;
      const partial = new PartialMessage(whole.length, undefined);
      let end = 0;
      const given = chunks.map(([size, isOwn]) => {
        const bytes = whole.subarray(end, end + size);
        end += size;
        const result = partial.add(isOwn ? new Uint8Array(bytes) : bytes);
        expect(partial.length).toBe(end);
        return result;
      });
      expect(given.slice(0, -1).every((result) => result === undefined)).toBe(true);
      expect(whole.equals(given.at(-1) as Uint8Array)).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test('many chunks of a byte take memory as they come, and not what was announced', () => {
  const arrays = () => process.memoryUsage().arrayBuffers;
  const before = arrays();
  const partials = Array.from({ length: 1000 }, () => new PartialMessage(64 * 1024 * 1024, undefined));
  for (let count = 0; count < 20; count++) for (const partial of partials) partial.add(Uint8Array.of(count));
  expect(arrays() - before).toBeLessThan(4 * 1024 * 1024);
  expect(partials.every(({ length }) => length === 20)).toBe(true);
});
