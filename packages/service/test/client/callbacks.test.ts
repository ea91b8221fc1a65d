import type { Logger } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import type { Candidate, SelectorStrategy } from '../../src/client/discovery/selector.ts';
import { codeOf, openWorld } from './world.ts';

const fail = async () => {
  throw new Error('no');
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

// A rejection that nobody handles fails the file.
describe('a callback of the user that is async and rejects', () => {
  it('is no selector and no filter, and ends no process', async () => {
    await using world = openWorld();
    await world.node();
    const client = world.client({ selector: fail as unknown as SelectorStrategy });
    expect(await codeOf(client.call('greeter', 'Greeter.Hello'))).toBe('invalid');
    const where = fail as unknown as () => boolean;
    expect(await codeOf(world.client().call('greeter', 'Greeter.Hello', {}, { where }))).toBe('invalid');
    await turn();
  });

  it('observes no loads, harms no call, and is told once', async () => {
    await using world = openWorld();
    await world.node();
    const told: string[] = [];
    const error: Logger['error'] = (message) => void told.push(message);
    const logger = { debug() {}, info() {}, warn() {}, error } as Logger;
    const first: SelectorStrategy = (candidates) => candidates[0] as (typeof candidates)[0];
    const observer = { began: fail, ended: fail, forget: fail } as unknown as SelectorStrategy['observer'];
    const client = world.client({ selector: Object.assign(first, { observer }), logger });
    await client.call('greeter', 'Greeter.Hello');
    await turn();
    expect(told).toEqual(["the selector's observer failed"]);
  });

  it('is no observer where there is none', async () => {
    await using world = openWorld();
    const selector = Object.assign(() => undefined, { observer: null }) as unknown as SelectorStrategy;
    expect(() => world.client({ selector })).toThrow('selector.observer');
  });
});

it('an observer is told of no call to an address that its selector did not choose', async () => {
  await using world = openWorld();
  const { address } = await world.node();
  const told: string[] = [];
  const observer = {
    began: (at: string) => void told.push(`began ${at}`),
    ended: (at: string) => void told.push(`ended ${at}`),
    forget: () => {},
  };
  const first: SelectorStrategy = (candidates) => candidates[0] as (typeof candidates)[0];
  const client = world.client({ selector: Object.assign(first, { observer }) });
  await client.call('greeter', 'Greeter.Hello', {}, { address });
  expect(await codeOf(client.call('greeter', 'Greeter.Hello', {}, { address: 'nobody', retries: 0 }))).toBe(
    'unavailable',
  );
  expect(told).toEqual([]);
  await client.call('greeter', 'Greeter.Hello');
  expect(told).toEqual([`began ${address}`, `ended ${address}`]);
});

describe('a callback of the user that writes to the nodes it may choose from', () => {
  const changes: readonly (readonly [string, (candidate: Candidate) => void])[] = [
    ['an address', ({ node }) => void Object.assign(node, { address: 'nowhere' })],
    ['metadata', ({ node }) => void Object.assign(node.metadata, { protocol: 'grpc' })],
    ['a node', (candidate) => void Object.assign(candidate, { node: undefined })],
  ];

  it.each(changes)('fails by itself where it sets %s, and harms no later call', async (_, change) => {
    await using world = openWorld();
    await world.node();
    let selects = true;
    const selector: SelectorStrategy = (candidates) => {
      const [first] = candidates as [Candidate];
      if (selects) change(first);
      return first;
    };
    const client = world.client({ selector });
    expect(await codeOf(client.call('greeter', 'Greeter.Hello'))).toBe('internal');
    selects = false;
    const where = (candidate: Candidate) => {
      change(candidate);
      return true;
    };
    expect(await codeOf(client.call('greeter', 'Greeter.Hello', {}, { where }))).toBe('invalid');
    await client.call('greeter', 'Greeter.Hello');
  });

  it('takes none out of the list that others get', async () => {
    await using world = openWorld();
    await world.node();
    let takes = true;
    const selector: SelectorStrategy = (candidates) =>
      (takes ? (candidates as Candidate[]).shift() : candidates[0]) as Candidate;
    const client = world.client({ selector });
    expect(await codeOf(client.call('greeter', 'Greeter.Hello'))).toBe('internal');
    takes = false;
    await client.call('greeter', 'Greeter.Hello');
  });

  it('is a middleware that writes to the node its call went to', async () => {
    await using world = openWorld();
    await world.node();
    const client = world.client();
    let writes = true;
    client.use(async (call, next) => {
      const response = await next();
      if (writes) Object.assign(call.node ?? {}, { address: 'nowhere' });
      return response;
    });
    await expect(client.call('greeter', 'Greeter.Hello')).rejects.toThrow(TypeError);
    writes = false;
    await client.call('greeter', 'Greeter.Hello');
  });
});
