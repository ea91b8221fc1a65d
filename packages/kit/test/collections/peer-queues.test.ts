import { expect, test } from 'vitest';
import { PeerQueues } from '../../src/index.ts';

const queuesOf = (...items: readonly [peer: string, item: string][]) => {
  const queues = new PeerQueues<string>((item) => item.length);
  for (const [peer, item] of items) queues.push(peer, item);
  return queues;
};

/** Takes everything, a turn of each peer after the other. */
function drained(queues: PeerQueues<string>): string[] {
  const taken: string[] = [];
  for (let next = queues.next; next !== undefined; next = queues.next) {
    queues.endTurn(next.peer);
    taken.push(queues.take(next.peer));
  }
  return taken;
}

test('each peer has its turn, and its items come in their order', () => {
  const queues = queuesOf(
    ['loud', 'l1'],
    ['loud', 'l2'],
    ['loud', 'l3'],
    ['calm', 'c1'],
    ['calm', 'c2'],
    ['rare', 'r1'],
  );
  expect(drained(queues)).toEqual(['l1', 'c1', 'r1', 'l2', 'c2', 'l3']);
});

test('a peer that had its turn and comes again waits behind the others', () => {
  const queues = queuesOf(['a', 'a1'], ['b', 'b1']);
  queues.endTurn('a');
  expect(queues.take('a')).toBe('a1');
  queues.push('a', 'a2');
  expect(drained(queues)).toEqual(['b1', 'a2']);
});

test('a peer that skips its turn loses nothing', () => {
  const queues = queuesOf(['a', 'a1'], ['b', 'b1']);
  queues.endTurn('a');
  expect([...queues].map(({ peer }) => peer)).toEqual(['b', 'a']);
  queues.endTurn('nobody');
  expect(drained(queues)).toEqual(['b1', 'a1']);
});

test('counts what waits, of all and of each peer', () => {
  const queues = queuesOf(['a', 'four'], ['a', 'sixsix'], ['b', 'elevenbytes']);
  expect([queues.size, queues.bytes]).toEqual([3, 21]);
  expect([queues.of('a')?.size, queues.of('a')?.bytes]).toEqual([2, 10]);
  expect(queues.largest('size')?.peer).toBe('a');
  expect(queues.largest('bytes')?.peer).toBe('b');
  queues.take('a', 'newest');
  expect([queues.size, queues.bytes, queues.of('a')?.bytes]).toEqual([2, 15, 4]);
});

test('the oldest and the newest of a peer are seen and taken', () => {
  const queues = queuesOf(['a', 'old'], ['a', 'mid'], ['a', 'new']);
  expect([queues.of('a')?.peek(), queues.of('a')?.peekNewest()]).toEqual(['old', 'new']);
  expect([queues.take('a', 'newest'), queues.take('a'), queues.take('a')]).toEqual(['new', 'old', 'mid']);
});

test('a peer of which nothing waits leaves nothing behind', () => {
  const queues = queuesOf(['a', 'x']);
  queues.take('a');
  expect([queues.of('a'), queues.next, queues.largest('size'), [...queues]]).toEqual([
    undefined,
    undefined,
    undefined,
    [],
  ]);
  queues.push('b', 'y');
  queues.clear();
  expect([queues.size, queues.bytes, queues.next]).toEqual([0, 0, undefined]);
});
