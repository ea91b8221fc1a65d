import { afterEach, describe, expect, it, vi } from 'vitest';
import { type OpenStream, OpenStreams } from '../../src/server/serve/open-streams.ts';

interface Given {
  readonly name: string;
  readonly peer: string;
  /** How long nothing was said on it. */
  readonly quietMs?: number;
  readonly isSilent?: boolean;
}

function world(limit: number, shed: string[]) {
  const streams = new OpenStreams(limit);
  const add = ({ name, peer, quietMs = 0, isSilent = false }: Given): OpenStream | undefined => {
    if (!streams.makeRoom(peer)) return undefined;
    const lastActive = performance.now() - quietMs;
    const stream = { peer, lastActive, isSilent, shed: () => void shed.push(name) };
    streams.add(stream);
    return stream;
  };
  return { streams, add };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('streams where there is no place', () => {
  it('are refused to the peer that has most of them', () => {
    const shed: string[] = [];
    const { add } = world(3, shed);
    for (const name of ['a', 'b', 'c']) expect(add({ name, peer: 'greedy', quietMs: 500 })).toBeDefined();
    expect(add({ name: 'd', peer: 'greedy' })).toBeUndefined();
    expect(shed).toEqual([]);
  });

  it('go for another peer until both have as many, the one first that was quiet for longest', () => {
    const shed: string[] = [];
    const { add } = world(4, shed);
    for (const [name, quietMs] of Object.entries({ a: 200, b: 400, c: 100, d: 300 }))
      add({ name, peer: 'greedy', quietMs });
    for (const name of ['x', 'y']) expect(add({ name, peer: 'modest' })).toBeDefined();
    expect(shed).toEqual(['b', 'd']);
    expect(add({ name: 'z', peer: 'modest' })).toBeUndefined();
  });

  it('stay where their peer has no more than half and something was said on each within a second', () => {
    const shed: string[] = [];
    const { streams, add } = world(4, shed);
    for (const name of ['a', 'b']) add({ name, peer: 'one', quietMs: 100 });
    for (const name of ['c', 'd']) add({ name, peer: 'two', quietMs: 100 });
    expect(add({ name: 'x', peer: 'three' })).toBeUndefined();
    const quiet = { peer: 'two', lastActive: performance.now() - 5000, isSilent: false, shed: () => shed.push('e') };
    streams.add(quiet);
    expect(add({ name: 'x', peer: 'three' })).toBeDefined();
    expect(shed).toEqual(['e']);
  });

  it('go for a peer with as many where nothing was ever said on one within a second', () => {
    const shed: string[] = [];
    const { add } = world(3, shed);
    add({ name: 'quiet', peer: 'one', quietMs: 60_000 });
    add({ name: 'new', peer: 'two', isSilent: true });
    add({ name: 'unused', peer: 'three', quietMs: 2000, isSilent: true });
    expect(add({ name: 'x', peer: 'four' })).toBeDefined();
    expect(add({ name: 'y', peer: 'five' })).toBeUndefined();
    expect(shed).toEqual(['unused']);
  });

  it('are refused once as many handlers as may run do not end though they were told', () => {
    const shed: string[] = [];
    const { streams, add } = world(2, shed);
    const first = add({ name: 'a', peer: 'one', quietMs: 1000 });
    add({ name: 'b', peer: 'one', quietMs: 900 });
    for (const peer of ['two', 'three']) {
      expect(add({ name: `${peer} a`, peer, isSilent: true, quietMs: 3000 })).toBeDefined();
    }
    expect(shed).toEqual(['a', 'two a']);
    expect(add({ name: 'x', peer: 'four' })).toBeUndefined();
    streams.delete(first as OpenStream);
    expect(add({ name: 'x', peer: 'four' })).toBeDefined();
    expect(shed).toEqual(['a', 'two a', 'three a']);
  });

  it('go once they were silent for a second, also where others were refused shortly before', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const shed: string[] = [];
    const { add } = world(2, shed);
    add({ name: 'later', peer: 'one', isSilent: true, quietMs: 100 });
    add({ name: 'first', peer: 'two', isSilent: true, quietMs: 600 });
    expect(add({ name: 'x', peer: 'three' })).toBeUndefined();
    vi.advanceTimersByTime(399);
    expect(add({ name: 'x', peer: 'four' })).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(add({ name: 'x', peer: 'five' })).toBeDefined();
    expect(add({ name: 'y', peer: 'six' })).toBeUndefined();
    vi.advanceTimersByTime(500);
    expect(add({ name: 'y', peer: 'seven' })).toBeDefined();
    expect(shed).toEqual(['first', 'later']);
  });

  it('go of a peer that has others, once one was quiet for a second, also where others were refused before', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const shed: string[] = [];
    const { add } = world(4, shed);
    for (const name of ['a', 'b']) add({ name, peer: 'one', quietMs: 700 });
    for (const name of ['c', 'd']) add({ name, peer: 'two', quietMs: 300 });
    expect(add({ name: 'x', peer: 'three' })).toBeUndefined();
    vi.advanceTimersByTime(300);
    expect(add({ name: 'x', peer: 'three' })).toBeDefined();
    expect(shed).toEqual(['a']);
  });
});
