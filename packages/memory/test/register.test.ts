import { getPlugin } from '@ts-micro/core';
import '@ts-micro/memory/register';
import { expect, test } from 'vitest';

test.each(['transport', 'broker', 'registry'] as const)('a %s is made by the name memory', async (kind) => {
  await using plugin = getPlugin(kind, 'memory')({ addresses: [] });
  expect(plugin.name).toBe('memory');
});

test.each(['transport', 'broker', 'registry'] as const)('a %s that is given addresses refuses them', (kind) => {
  expect(() => getPlugin(kind, 'memory')({ addresses: ['10.0.0.1:4222'] })).toThrow(
    expect.objectContaining({ code: 'invalid', message: expect.stringContaining('10.0.0.1:4222') }),
  );
});

test('plugins made by name meet', async () => {
  await using here = getPlugin('registry', 'memory')({});
  await using there = getPlugin('registry', 'memory')({});
  await here.register({ name: 'greeter', version: '', metadata: {}, endpoints: [], nodes: [] });
  expect(await there.getService('greeter')).toHaveLength(1);
});
