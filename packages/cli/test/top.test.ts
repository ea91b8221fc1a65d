import { describe, expect, it } from 'vitest';
import { paints } from '../src/terminal/paint.ts';
import { afterKey } from '../src/top/keys.ts';
import { RateMeter } from '../src/top/node-rates.ts';
import { screenLines, type View } from '../src/top/view.ts';

const plain = paints(false);
const view: View = { sort: 'service', filter: '', isTyping: false };

function answer(id: string, requests: number, errors = 0, elapsedMs = 1) {
  return {
    service: id.split('-')[0] as string,
    version: '1.0.0',
    node: { id, address: id, metadata: {} },
    elapsedMs,
    answer: { requests, errors, memory: 1024 * 1024 },
    error: undefined,
  };
}

function ratesOf(before: readonly ReturnType<typeof answer>[], after: readonly ReturnType<typeof answer>[]) {
  const meter = new RateMeter();
  meter.ratesOf(before, 0);
  return meter.ratesOf(after, 2000);
}

const nodes = ratesOf(
  [answer('greeter-a', 10), answer('users-b', 10)],
  [answer('greeter-a', 31, 4, 2), answer('users-b', 211, 0, 9)],
);

describe('rates', () => {
  it('are what was counted between two answers, without the question itself', () => {
    expect(
      nodes.map(({ node, requestsPerSecond, errorsPerSecond }) => [node, requestsPerSecond, errorsPerSecond]),
    ).toEqual([
      ['greeter-a', 10, 2],
      ['users-b', 100, 0],
    ]);
  });

  it('of a node that is new or has restarted are not known yet', () => {
    const rates = ratesOf([answer('greeter-a', 500, 3)], [answer('greeter-a', 2), answer('greeter-new', 7)]);
    expect(rates[1]?.requestsPerSecond).toBeUndefined();
    expect(rates[0]?.errorsPerSecond).toBeUndefined();
  });
});

describe('the screen', () => {
  it('shows sums, nodes and keys', () => {
    expect(screenLines(nodes, view, { rows: 24, columns: 100 }, plain)).toEqual([
      '2 services, 2 nodes, 110 requests/s, 2.0 errors/s',
      'sorted by service',
      'SERVICE  VERSION  NODE       REQ/S  ERR/S  REQUESTS  ERRORS   MEMORY  ANSWERS IN',
      'greeter  1.0.0    greeter-a     10    2.0        31       4  1.0 MiB     2.00 ms',
      'users    1.0.0    users-b      100    0.0       211       0  1.0 MiB     9.00 ms',
      's service  r requests  e errors  l latency  / filter  q quit',
    ]);
  });

  it('is no larger than the terminal', () => {
    const many = ratesOf(
      [],
      Array.from({ length: 100 }, (_, at) => answer(`greeter-${at}-with-a-long-name`, at)),
    );
    const lines = screenLines(many, view, { rows: 10, columns: 80 }, plain);
    expect(lines.length).toBeLessThanOrEqual(10);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('is sorted and filtered by keys', () => {
    const firstNode = (keys: string) => {
      let now: View = view;
      for (const key of keys) {
        const next = afterKey(now, key);
        if (next === 'quit') throw new Error(`${key} quits`);
        now = next;
      }
      return screenLines(nodes, now, { rows: 24, columns: 100 }, plain)[3]?.split(' ')[0];
    };
    expect(firstNode('s')).toBe('greeter');
    expect(firstNode('r')).toBe('users');
    expect(firstNode('re')).toBe('greeter');
    expect(firstNode('l')).toBe('users');
    expect(firstNode('/USER\r')).toBe('users');
    expect(firstNode('/usersx\b\u001b')).toBe('greeter');
    expect(firstNode('/q\b\b')).toBe('greeter');
  });

  it('is left by q and by Ctrl-C, and q is a letter while a filter is typed', () => {
    expect(afterKey(view, 'q')).toBe('quit');
    expect(afterKey({ ...view, isTyping: true }, 'q')).toMatchObject({ filter: 'q' });
    expect(afterKey({ ...view, isTyping: true }, '\u0003')).toBe('quit');
  });
});
