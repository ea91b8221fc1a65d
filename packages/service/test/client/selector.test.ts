import { describe, expect, it } from 'vitest';
import { type Candidate, random, roundRobin } from '../../src/client/discovery/selector.ts';
import { ServiceView } from '../../src/client/discovery/service-view.ts';

const request = { service: 'greeter', endpoint: 'Greeter.Hello' };

function candidates(...ids: string[]): Candidate[] {
  return ids.map((id) => ({ service: 'greeter', version: '1', node: { id, address: id, metadata: {} } }));
}

describe('random', () => {
  it('chooses every node about as often', () => {
    const select = random();
    const counts = new Map<string, number>();
    for (let call = 0; call < 3000; call++) {
      const { id } = select(candidates('a', 'b', 'c'), request).node;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    for (const id of ['a', 'b', 'c']) expect(counts.get(id)).toBeGreaterThan(800);
  });
});

describe('round robin', () => {
  it('chooses one after the other across calls', () => {
    const select = roundRobin();
    const ids = Array.from({ length: 6 }, () => select(candidates('a', 'b', 'c'), request).node.id);
    expect(new Set(ids.slice(0, 3)).size).toBe(3);
    expect(ids.slice(3)).toEqual(ids.slice(0, 3));
  });

  it('keeps a cursor for each service', () => {
    const select = roundRobin();
    const first = select(candidates('a', 'b'), request).node.id;
    for (let call = 0; call < 3; call++) select(candidates('x', 'y'), { ...request, service: 'other' });
    expect(select(candidates('a', 'b'), request).node.id).not.toBe(first);
  });

  it('goes on when nodes come and go', () => {
    const select = roundRobin();
    for (const nodes of [candidates('a', 'b', 'c'), candidates('a'), candidates('a', 'b')])
      expect(nodes).toContain(select(nodes, request));
  });
});

describe('filters', () => {
  const node = (id: string, metadata: Record<string, string> = {}) => ({ id, address: id, metadata });
  const record = (version: string, endpoints: string[], nodes: ReturnType<typeof node>[]) => ({
    name: 'greeter',
    version,
    metadata: {},
    endpoints: endpoints.map((name) => ({ name, metadata: {} })),
    nodes,
  });
  const view = new ServiceView(
    'greeter',
    [
      record('1', ['Greeter.Hello'], [node('a', { zone: 'x' }), node('b', { zone: 'y', transport: 'memory' })]),
      record('2', ['Greeter.Hello', 'Greeter.New'], [node('c', { zone: 'x', disk: 'ssd' })]),
      record('3', [], [node('d', { transport: 'http' }), node('e', { protocol: 'grpc' })]),
    ],
    true,
    'memory',
  );
  const ids = (endpoint: string, filter = {}) =>
    view.candidates(endpoint, filter).map((candidate) => candidate.node.id);

  it('leave out nodes of other transports and of gRPC', () => {
    expect(ids('Debug.Health')).toEqual(['a', 'b', 'c']);
  });

  it('prefer nodes that advertise the endpoint', () => {
    expect(ids('Greeter.New')).toEqual(['c']);
  });

  it('choose by version, label and function, all of them', () => {
    expect(ids('Greeter.Hello', { version: '1' })).toEqual(['a', 'b']);
    expect(ids('Greeter.Hello', { label: ['zone', 'x'] })).toEqual(['a', 'c']);
    expect(ids('Greeter.Hello', { label: { zone: 'x', disk: 'ssd' } })).toEqual(['c']);
    expect(ids('Greeter.Hello', { where: ({ node: { id } }: Candidate) => id > 'a' })).toEqual(['b', 'c']);
    expect(ids('Greeter.Hello', { version: '1', label: ['zone', 'x'], where: () => true })).toEqual(['a']);
  });

  it('take a subscriber for no endpoint', () => {
    const subscriber = { name: 'Func', metadata: { subscriber: 'true' } };
    const records = [{ ...record('1', [], [node('a')]), endpoints: [subscriber] }, record('2', [], [node('b')])];
    expect(new ServiceView('greeter', records, true, 'memory').candidates('Func')).toHaveLength(2);
  });

  it('say why nothing is left', () => {
    const why = (filter = {}) => view.explainNone(filter);
    expect(new ServiceView('x', [], true, 'memory').explainNone()).toMatchObject({
      code: 'not_found',
      message: 'client: service "x" is not known to the registry',
    });
    expect(why({ version: '9' })).toMatchObject({
      code: 'not_found',
      message: 'client: service "greeter" has no version "9" (known: "1", "2", "3")',
    });
    expect(why({ version: '3' })).toMatchObject({
      code: 'unavailable',
      message: 'client: service "greeter" has no node on transport "memory" (2 on others)',
    });
    expect(why({ label: ['zone', 'z'] })).toMatchObject({
      code: 'unavailable',
      message: 'client: service "greeter" has no node that the call\'s filter accepts (of 3)',
    });
    expect(new ServiceView('x', [record('1', [], [])], true, 'memory').explainNone()).toMatchObject({
      code: 'unavailable',
      message: 'client: service "x" has no node',
    });
  });

  it('remember a bounded number of endpoints and answer right beyond it', () => {
    for (let endpoint = 0; endpoint < 2500; endpoint++) expect(ids(`Made.Up${endpoint}`)).toHaveLength(3);
    expect(ids('Greeter.New')).toEqual(['c']);
  });
});
