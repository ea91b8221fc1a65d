import { expect, test, vi } from 'vitest';
import { accessPlugin, accessSettings, type ServerAccess } from '../../src/index.ts';

interface BusOptions extends ServerAccess {
  readonly busName?: string | undefined;
  readonly quietMs?: number | undefined;
}

const settingsOf = (options: BusOptions) =>
  accessSettings(options, {
    who: 'bus broker',
    schemes: ['bus', 'buses'],
    port: 4000,
    defaults: { busName: undefined, quietMs: 50 },
  });

test('what is not given is as it is by default', () => {
  expect(settingsOf({})).toEqual({
    urls: [new URL('bus://127.0.0.1:4000')],
    addresses: ['127.0.0.1:4000'],
    user: undefined,
    password: undefined,
    path: '',
    tls: undefined,
    busName: undefined,
    quietMs: 50,
  });
  expect(settingsOf({ quietMs: undefined }).quietMs).toBe(50);
});

test('what is given counts, and nothing that is no option comes along', () => {
  const given = settingsOf({ servers: 'bus://u:%25@a/a%20b, b:5', busName: 'x', quietMs: 0, other: 1 } as BusOptions);
  expect(given).toMatchObject({
    addresses: ['a:4000', 'b:5'],
    user: 'u',
    password: '%',
    path: 'a b',
    busName: 'x',
    quietMs: 0,
  });
  expect(given).not.toHaveProperty('other');
  expect(given).not.toHaveProperty('servers');
});

test.each([
  [{ quiet: 5 }, 'there is no option "quiet", and quietMs may be meant'],
  [{ username: 'u' }, 'there is no option "username", and user may be meant'],
  [{ servers: 'http://a' }, 'option servers'],
  [{ servers: ['bus://a', 'buses://b'] }, 'option servers'],
  [{ tls: { key: '/nowhere/key.pem' } }, 'option tls.key'],
  [null, 'the options are null'],
  [{ servers: 5 }, 'option servers is neither'],
  [{ servers: ['a', 5] }, 'option servers is neither'],
  [{ servers: null }, 'option servers is neither'],
  [{ servers: 'bus://u%zz@a' }, 'option servers holds a URL with a %'],
  [{ servers: 'bus://a/%' }, 'option servers holds a URL with a %'],
  [{ user: 5 }, 'option user is of type number'],
  [{ user: 'u', password: Symbol('geheim') }, 'option password is of type symbol'],
])('%j is refused by name', (options, said) => {
  const expected = { code: 'invalid', message: expect.stringContaining(`bus broker: ${said}`) };
  expect(() => settingsOf(options as BusOptions)).toThrow(expect.objectContaining(expected));
});

test('a password is in no message', () => {
  for (const servers of ['http://u:geheim@a', 'bus://u:geheim@', 'bus://u:geheim@a:99999'])
    expect(() => settingsOf({ servers })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('geheim') }),
    );
});

test('operators set how the servers are reached, and texts of the factory', () => {
  const made: (BusOptions | undefined)[] = [];
  const plugin = accessPlugin('bus', (options?: BusOptions) => made.push(options), { busName: 'what it is called' });
  expect(plugin.flags.map(({ name }) => name)).toEqual([
    'bus_user',
    'bus_password',
    'bus_tls',
    'bus_tls_ca',
    'bus_tls_cert',
    'bus_tls_key',
    'bus_bus_name',
  ]);
  expect(plugin.flags.at(-1)?.about).toBe('what it is called');
  const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  const settings = { bus_user: 'u', bus_password: 'p', bus_tls: 'true', bus_bus_name: 'x' };
  plugin({ addresses: ['a:1'], settings, logger });
  expect(made[0]).toEqual({ servers: ['a:1'], user: 'u', password: 'p', tls: true, busName: 'x', logger });
});

test('a file of TLS counts more than that there is TLS, and a word that is none is refused', () => {
  const made: (BusOptions | undefined)[] = [];
  const plugin = accessPlugin('bus', (options?: BusOptions) => made.push(options), {});
  plugin({ settings: { bus_tls: 'false', bus_tls_ca: '/etc/ca.pem' } });
  expect(made[0]?.tls).toEqual({ ca: '/etc/ca.pem' });
  plugin({});
  expect(made[1]?.tls).toBeUndefined();
  expect(() => plugin({ settings: { bus_tls: 'yes' } })).toThrow('setting bus_tls is "yes"');
});
