import { describe, expect, test } from 'vitest';
import { AcceptedEnds, type ListeningEnd } from '../../src/frames/peers/accepted-ends.ts';
import { Clock } from '../../src/frames/peers/clock.ts';
import { diallingPeer } from '../../src/frames/peers/dialling-peer.ts';
import { SocketPlaces } from '../../src/frames/peers/socket-places.ts';

function world() {
  const clock = new Clock(500, () => {});
  const ends = new AcceptedEnds<ListeningEnd>((remote) => remote);
  const greedy = { ...diallingPeer('greedy'), unanswered: 2048, heardAt: 0 };
  ends.peers.set('greedy', greedy);
  return { clock, ends, greedy, places: new SocketPlaces(ends, clock, 65_536) };
}

describe('a peer with very much unanswered', () => {
  test('is refused more while the process is busy and others ask as well', () => {
    const { clock, ends, greedy, places } = world();
    clock.isBusy = true;
    expect(places.isTooMuchFor(greedy)).toBe(false);
    ends.peers.set('modest', { ...diallingPeer('modest'), unanswered: 1, heardAt: 0 });
    expect(places.isTooMuchFor(greedy)).toBe(true);
    expect(places.isTooMuchFor(diallingPeer('new'))).toBe(false);
    greedy.unanswered--;
    expect(places.isTooMuchFor(greedy)).toBe(false);
  });

  test('is taken more while the process has time, and where others have not asked for a second', () => {
    const { clock, ends, greedy, places } = world();
    ends.peers.set('modest', { ...diallingPeer('modest'), heardAt: 0 });
    expect(places.isTooMuchFor(greedy)).toBe(false);
    clock.isBusy = true;
    clock.now = clock.second + 1;
    expect(places.isTooMuchFor(greedy)).toBe(false);
  });
});
