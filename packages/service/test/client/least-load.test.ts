import { describe, expect, it } from 'vitest';
import { leastLoad } from '../../src/client/discovery/least-load.ts';
import type { Candidate } from '../../src/client/discovery/selector.ts';

const request = { service: 'greeter', endpoint: 'Greeter.Hello' };
const nodes: Candidate[] = ['a', 'b'].map((id) => ({
  service: 'greeter',
  version: '1',
  node: { id, address: id, metadata: {} },
}));

function open() {
  let nowMs = 0;
  const select = leastLoad(() => nowMs);
  const counts = (calls = 200, of = request) => {
    const seen: Record<string, number> = { a: 0, b: 0 };
    for (let call = 0; call < calls; call++) {
      const { id } = select(nodes, of).node;
      seen[id] = (seen[id] ?? 0) + 1;
    }
    return seen;
  };
  const answer = (address: string, elapsedMs: number, { endpoint = request.endpoint, ok = true, times = 2 } = {}) => {
    for (let time = 0; time < times; time++) {
      select.observer?.began(address, endpoint);
      select.observer?.ended(address, endpoint, elapsedMs, ok);
    }
  };
  return { select, counts, answer, advance: (ms: number) => (nowMs += ms) };
}

describe('least load', () => {
  it('spares a node that is slow', () => {
    const { counts, answer } = open();
    answer('a', 3);
    answer('b', 300);
    expect(counts()).toEqual({ a: 200, b: 0 });
  });

  it('does not judge a node by its first answer, which took the time of what is made once', () => {
    const { counts, answer } = open();
    answer('a', 3);
    answer('b', 300, { times: 1 });
    expect(counts(1).b).toBe(1);
    answer('b', 3, { times: 1 });
    const { b = 0 } = counts(1000);
    expect(b).toBeGreaterThan(350);
  });

  it('chooses among nodes that are alike as often one as the other', () => {
    const { counts, answer } = open();
    answer('a', 0.5);
    answer('b', 3);
    const { a = 0, b = 0 } = counts(1000);
    expect(Math.min(a, b)).toBeGreaterThan(350);
  });

  it('spares a node at which more is under way', () => {
    const { select, counts, answer } = open();
    answer('a', 20);
    answer('b', 20);
    select.observer?.began('a', request.endpoint);
    expect(counts()).toEqual({ a: 0, b: 200 });
  });

  it('spares a node that fails fast', () => {
    const { counts, answer } = open();
    answer('a', 0.1, { ok: false, times: 1 });
    answer('b', 20);
    expect(counts()).toEqual({ a: 0, b: 200 });
  });

  it('tells the endpoints of a node apart', () => {
    const { counts, answer } = open();
    for (const address of ['a', 'b']) answer(address, 3);
    answer('a', 5000, { endpoint: 'Greeter.Report' });
    const { a = 0 } = counts(1000);
    expect(a).toBeGreaterThan(350);
  });

  it('tries a slow node again after a while, and one that has not answered yet at once', () => {
    const { select, counts, answer, advance } = open();
    answer('a', 3);
    answer('b', 300);
    advance(60_000);
    expect(counts().b).toBeGreaterThan(0);
    select.observer?.forget('a');
    answer('b', 300);
    expect(counts()).toEqual({ a: 200, b: 0 });
  });

  it('does not judge a quick node by one answer that was late, but by the next', () => {
    const { select, counts, answer, advance } = open();
    for (const address of ['a', 'b']) answer(address, 1);
    // Four were under way when its process paused.
    for (let call = 0; call < 4; call++) select.observer?.began('b', request.endpoint);
    advance(200);
    for (let call = 0; call < 4; call++) select.observer?.ended('b', request.endpoint, 200, true);
    expect(counts(1).b).toBe(1);
    select.observer?.began('b', request.endpoint);
    expect(counts()).toEqual({ a: 200, b: 0 });
    advance(1);
    select.observer?.ended('b', request.endpoint, 1, true);
    const { b = 0 } = counts(1000);
    expect(b).toBeGreaterThan(350);
  });

  it('spares a node that is late again', () => {
    const { counts, answer, advance } = open();
    for (const address of ['a', 'b']) answer(address, 1);
    for (let call = 0; call < 2; call++) {
      advance(200);
      answer('b', 200, { times: 1 });
    }
    expect(counts()).toEqual({ a: 200, b: 0 });
    for (const address of ['a', 'b']) answer(address, 1, { endpoint: 'Greeter.Report' });
    const report = { ...request, endpoint: 'Greeter.Report' };
    for (const [elapsedMs, isTried] of [
      [200, true],
      [1, true],
      [200, false],
    ] as const) {
      advance(300);
      answer('b', elapsedMs, { endpoint: report.endpoint, times: 1 });
      expect(counts(200, report).b === 0).toBe(!isTried);
    }
  });

  it('tries a node that is never without a call to another endpoint', () => {
    const { select, counts, answer, advance } = open();
    for (const address of ['a', 'b']) {
      answer(address, 500, { endpoint: 'Greeter.Report' });
      for (let call = 0; call < 4; call++) select.observer?.began(address, 'Greeter.Report');
    }
    answer('a', 1);
    expect(counts(1000).b).toBeGreaterThan(350);
    answer('b', 1);
    // Late for once.
    advance(2000);
    answer('b', 20, { times: 1 });
    expect(counts(1000).b).toBeGreaterThan(350);
    // By one call at a time.
    select.observer?.began('b', request.endpoint);
    expect(counts()).toEqual({ a: 200, b: 0 });
  });

  it('never counts below nothing', () => {
    const { select, counts } = open();
    select.observer?.began('a', request.endpoint);
    for (let call = 0; call < 3; call++) select.observer?.ended('a', request.endpoint, 20, true);
    select.observer?.ended('nobody', request.endpoint, 20, true);
    expect(counts().b).toBe(200);
  });
});
