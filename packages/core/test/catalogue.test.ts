import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { type Broker, getPlugin, listPlugins, type PluginKind, registerPlugin } from '../src/index.ts';

const factory = (): Broker => {
  throw new Error('never made here');
};

test('a plugin is found by its kind and name', () => {
  const name = randomUUID();
  registerPlugin('broker', name, factory);
  expect(getPlugin('broker', name)).toBe(factory);
  expect(listPlugins('broker')).toContain(name);
  expect(listPlugins('registry')).not.toContain(name);
});

test('registering the same plugin again is fine, another one under its name is a `conflict`', () => {
  const name = randomUUID();
  registerPlugin('broker', name, factory);
  registerPlugin('broker', name, factory);
  expect(() => registerPlugin('broker', name, () => factory())).toThrow(
    expect.objectContaining({ code: 'conflict', message: expect.stringContaining(name) }),
  );
  expect(getPlugin('broker', name)).toBe(factory);
});

test('an unknown name is `not_found`, and the names at hand are listed in order', () => {
  const names = [randomUUID(), randomUUID()].sort();
  for (const name of names.toReversed()) registerPlugin('broker', name, factory);
  const known = listPlugins('broker');
  expect(known).toEqual([...known].sort());
  expect(() => getPlugin('broker', 'missing')).toThrow(
    expect.objectContaining({
      code: 'not_found',
      message: `plugin catalogue: no broker is called "missing" (known: ${known.join(', ')})`,
    }),
  );
});

test('with nothing registered the error says what to import', () => {
  expect(() => getPlugin('transport', 'nats')).toThrow(/none is known; import a plugin's \/register entry first/);
});

test('a kind that does not exist is `invalid`', () => {
  for (const kind of ['brokers', '__proto__', 'constructor'])
    expect(() => getPlugin(kind as PluginKind, 'nats')).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(`"${kind}" is not one of`) }),
    );
});

test('copies of the package share one catalogue', async () => {
  const name = randomUUID();
  vi.resetModules();
  const copy = await import('../src/index.ts');
  expect(copy.registerPlugin).not.toBe(registerPlugin);
  copy.registerPlugin('broker', name, factory);
  expect(getPlugin('broker', name)).toBe(factory);
});

test('the flags of a factory begin with the name of its plugin, or are `invalid`', () => {
  const name = `My-Bus.${randomUUID()}`;
  const prefix = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '_');
  const flagged = (flag: string) => Object.assign(() => factory(), { flags: [{ name: flag, about: 'a test' }] });
  for (const flag of ['user', `${prefix}user`, `${prefix}_`, `${prefix}_User`, `${prefix}_a b`, '']) {
    expect(() => registerPlugin('broker', name, flagged(flag))).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(`flag "${flag}"`) }),
    );
  }
  const good = flagged(`${prefix}_user`);
  registerPlugin('broker', name, good);
  expect(getPlugin('broker', name).flags).toEqual([{ name: `${prefix}_user`, about: 'a test' }]);
});
