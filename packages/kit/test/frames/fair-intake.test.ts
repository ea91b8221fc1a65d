import { describe, expect, test } from 'vitest';
import { diallingPeer } from '../../src/frames/peers/dialling-peer.ts';
import { FairIntake, type Intake } from '../../src/frames/peers/fair-intake.ts';

const modest = diallingPeer('modest');
const greedy = diallingPeer('greedy');

/** Whole tenths of a second in which `greedy` asks so often, and `modest` once where others ask. */
function world({ others = true } = {}) {
  let isBehind = true;
  let now = 0;
  const intake = new FairIntake(() => isBehind);
  const ask = (asks: number, peer = greedy, goesOn = false): Record<Intake, number> => {
    const counts = { taken: 0, refused: 0, silent: 0 };
    for (let count = 0; count < asks; count++) counts[intake.judge(peer, !goesOn, now)]++;
    return counts;
  };
  return {
    /** In the same tenth of a second. */
    ask,
    calm() {
      isBehind = false;
    },
    pass(ms: number) {
      now += ms;
    },
    window(asks: number, peer = greedy): Record<Intake, number> {
      now += 100;
      if (others) expect(intake.judge(modest, true, now)).toBe('taken');
      return ask(asks, peer);
    },
  };
}

describe('a process that asks very much of a busy listener', () => {
  test('is refused what is beyond a bound that sinks to 2000 a second, while others are taken', () => {
    const { window } = world();
    for (let count = 0; count < 3; count++) expect(window(1000).taken).toBe(1000);
    expect(window(1000).taken).toBe(700);
    for (let count = 0; count < 10; count++) window(1000);
    expect(window(1000)).toEqual({ taken: 200, refused: 500, silent: 300 });
  });

  test('is told of 5000 refusals a second, and of no more', () => {
    const { window } = world();
    for (let count = 0; count < 20; count++) window(5000);
    expect(window(5000)).toEqual({ taken: 200, refused: 500, silent: 4300 });
  });

  test('does not keep others from being told', () => {
    const busy = world();
    for (let count = 0; count < 20; count++) busy.window(5000);
    expect(busy.window(5000).silent).toBe(4300);
    expect(busy.ask(450, diallingPeer('other'))).toEqual({ taken: 200, refused: 250, silent: 0 });
  });

  test('has at most 2048 messages unanswered', () => {
    const { window } = world();
    for (let count = 0; count < 6; count++) window(1);
    expect(window(10, { ...greedy, unanswered: 2048 }).refused).toBe(10);
    expect(window(10, { ...greedy, unanswered: 2047 }).taken).toBe(10);
  });

  test('goes on with what was taken', () => {
    const { window, ask } = world();
    for (let count = 0; count < 20; count++) window(1000);
    expect(ask(5000, greedy, true).taken).toBe(5000);
  });
});

test('nobody is refused who asks alone', () => {
  const { window } = world({ others: false });
  for (let count = 0; count < 20; count++) expect(window(5000).taken).toBe(5000);
});

test('nobody is refused while there is time, and soon nobody is once there is again', () => {
  const { window, calm } = world();
  for (let count = 0; count < 20; count++) window(1000);
  calm();
  const taken = Array.from({ length: 10 }, () => window(1000).taken);
  expect(taken).toEqual([...taken].sort((one, other) => one - other));
  expect(taken.at(-1)).toBe(1000);
  const calmWorld = world();
  calmWorld.calm();
  for (let count = 0; count < 20; count++) expect(calmWorld.window(5000).taken).toBe(5000);
});

test('a second without a message says that there was time', () => {
  const { window, pass } = world();
  for (let count = 0; count < 20; count++) window(1000);
  pass(2000);
  expect(window(250).taken).toBe(250);
});

test('processes beyond those that are told apart are not limited', () => {
  const intake = new FairIntake(() => true);
  for (let count = 0; count < 10_000; count++) intake.judge(diallingPeer(`peer-${count}`), true, 0);
  for (let count = 0; count < 500; count++) expect(intake.judge(greedy, true, 0)).toBe('taken');
});
