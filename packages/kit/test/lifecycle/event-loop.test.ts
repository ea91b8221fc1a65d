import { setImmediate } from 'node:timers';
import { describe, expect, it } from 'vitest';
import { ownTurnOfLoop } from '../../src/lifecycle/event-loop.ts';

function busyFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('what waits for its own turn of the event loop', () => {
  it('goes on in the order in which it began to wait', async () => {
    const order: number[] = [];
    await Promise.all(Array.from({ length: 100 }, (_, number) => ownTurnOfLoop().then(() => order.push(number))));
    expect(order).toEqual(Array.from({ length: 100 }, (_, number) => number));
  });

  it('lets the loop turn meanwhile, however many wait', async () => {
    let left = 200;
    let turns = 0;
    const turn = () => {
      if (left === 0) return;
      turns++;
      setImmediate(turn);
    };
    setImmediate(turn);
    const work = async () => {
      await ownTurnOfLoop();
      busyFor(2);
      left--;
    };
    await Promise.all(Array.from({ length: left }, work));
    expect(turns).toBeGreaterThan(2);
  });
});
