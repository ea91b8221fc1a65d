import type { Logger } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import type { SelectorStrategy } from '../../src/client/discovery/selector.ts';
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
