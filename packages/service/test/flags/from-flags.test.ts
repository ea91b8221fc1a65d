import {
  getPlugin,
  MicroError,
  type PluginFlag,
  type PluginKind,
  type PluginOptions,
  registerPlugin,
} from '@ts-micro/core';
import { memoryBroker, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import '@ts-micro/memory/register';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../src/client/create-client.ts';
import { type FlaggedPlugins, fromFlags } from '../../src/flags/from-flags.ts';
import { listFlags } from '../../src/flags/known-flags.ts';
import type { Environment } from '../../src/flags/read-flags.ts';

/** What each plugin called `nats` or `probe` was made with. */
const made: { readonly kind: PluginKind; readonly name: string; readonly options: PluginOptions }[] = [];

const busFlags: readonly PluginFlag[] = [
  { name: 'my_bus_user', about: 'who you are' },
  { name: 'my_bus_password', about: 'how you prove it', fromFile: true },
];

// Not the real ones: these tell what they were given.
for (const [name, flags] of [['nats'], ['probe'], ['my-bus', busFlags]] as const) {
  const transport = (options: PluginOptions) => {
    made.push({ kind: 'transport', name, options });
    return memoryTransport();
  };
  const broker = (options: PluginOptions) => {
    made.push({ kind: 'broker', name, options });
    return memoryBroker();
  };
  const registry = (options: PluginOptions) => {
    made.push({ kind: 'registry', name, options });
    if (options.addresses?.includes('bad')) throw new MicroError('invalid', 'probe: address bad is bad');
    return memoryRegistry();
  };
  registerPlugin('transport', name, flags ? Object.assign(transport, { flags }) : transport);
  registerPlugin('broker', name, flags ? Object.assign(broker, { flags }) : broker);
  registerPlugin('registry', name, registry);
}

/** The settings alone. */
async function settingsOf(argv: readonly string[], env: Environment = {}): Promise<Record<string, unknown>> {
  await using plugins = fromFlags(argv, env);
  const { transport, broker, registry, logger, fallbacks, rest, ...settings } = { ...plugins };
  return settings;
}

async function addressesOf(argv: readonly string[], env: Environment = {}): Promise<Record<string, readonly string[]>> {
  made.length = 0;
  await using _plugins = fromFlags(argv, env);
  return Object.fromEntries(made.map(({ kind, options }) => [kind, options.addresses ?? []]));
}

function errorOf(argv: readonly string[], env: Environment = {}): MicroError {
  try {
    fromFlags(argv, env);
  } catch (error) {
    if (MicroError.is(error)) return error;
  }
  throw new Error('nothing was thrown');
}

const all = (name: string) => ['transport', 'broker', 'registry'].map((kind) => `--${kind}=${name}`);

describe('plugins', () => {
  it('are those that flags name', async () => {
    made.length = 0;
    await using plugins = fromFlags(all('nats'), {});
    expect(made.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      'broker nats',
      'registry nats',
      'transport nats',
    ]);
    expect(plugins.fallbacks).toEqual([]);
  });

  it('are those that the environment names, unless a flag names another', async () => {
    made.length = 0;
    const env = { MICRO_TRANSPORT: 'nats', MICRO_BROKER: 'nats', MICRO_REGISTRY: ' nats ' };
    await using _plugins = fromFlags(['--broker', 'probe'], env);
    expect(made.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      'broker probe',
      'registry nats',
      'transport nats',
    ]);
  });

  it('that nobody chose are memory, which is told and logged', async () => {
    const lines: unknown[] = [];
    const logger = { debug() {}, info() {}, warn: (...line: unknown[]) => lines.push(line), error() {} };
    await using plugins = fromFlags(['--registry=nats'], {}, { logger });
    expect(plugins.fallbacks).toEqual(['transport', 'broker']);
    expect(plugins.transport.name).toBe('memory');
    expect(lines).toEqual([
      ['plugin not chosen, using memory', { kind: 'transport' }],
      ['plugin not chosen, using memory', { kind: 'broker' }],
    ]);
    expect(plugins.logger).toBe(logger);
  });

  it('are given the logger', async () => {
    made.length = 0;
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    await using _plugins = fromFlags(all('probe'), {}, { logger });
    for (const { options } of made) expect(options.logger).toBe(logger);
  });

  it('with an unknown name are refused, listing the names at hand', () => {
    expect(errorOf(['--registry=natz'])).toMatchObject({
      code: 'not_found',
      message:
        'flags: --registry=natz: did you mean nats? It names no registry at hand (known: memory, my-bus, nats, probe)',
    });
    expect(errorOf([], { MICRO_BROKER: 'nats://app:s3cret@host' })).toMatchObject({
      code: 'not_found',
      message: 'flags: MICRO_BROKER names no broker at hand (known: memory, my-bus, nats, probe)',
    });
  });

  it('are closed by closing the result, together', async () => {
    const plugins = fromFlags(all('nats'), {});
    await plugins.close();
    await plugins.close();
    for (const kind of ['transport', 'broker', 'registry'] as const) expect(await plugins[kind].closed).toBe(undefined);
    expect(await plugins.closed).toBe(undefined);
  });

  it('made before one that cannot be are closed', async () => {
    const original = getPlugin('transport', 'probe');
    expect(original).toBeDefined();
    const transports: FlaggedPlugins['transport'][] = [];
    registerPlugin('transport', 'kept', () => {
      const transport = memoryTransport();
      transports.push(transport);
      return transport;
    });
    expect(() => fromFlags(['--transport=kept', '--registry=probe', '--registry_address=bad'], {})).toThrow(
      'address bad',
    );
    expect(await transports[0]?.closed).toBe(undefined);
  });

  it('are made only when all flags are right', () => {
    made.length = 0;
    errorOf([...all('nats'), '--client_retries=many']);
    errorOf(['--transport=nats', '--broker=nats', '--registry=nope']);
    expect(made).toEqual([]);
  });

  it('work in a client by handing over the result', async () => {
    await using plugins = fromFlags(
      ['--client_retries=0', '--client_request_timeout=1s', '--server_metadata=zone=a'],
      {},
    );
    await using client = createClient(plugins);
    await expect(client.call('nobody', 'No.Body')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('addresses', () => {
  it('are comma lists, trimmed', async () => {
    const argv = [...all('probe'), '--registry_address= a:1 ,, b:2,', '--transport_address', 'c'];
    expect(await addressesOf(argv, { MICRO_BROKER_ADDRESS: 'd, e' })).toEqual({
      registry: ['a:1', 'b:2'],
      transport: ['c'],
      broker: ['d', 'e'],
    });
  });

  it('are none by default', async () => {
    expect(await addressesOf(all('probe'))).toEqual({ registry: [], transport: [], broker: [] });
  });

  it('default to those of all plugins of the same name', async () => {
    const argv = ['--transport=nats', '--broker=nats', '--registry=probe'];
    const env = { MICRO_NATS_ADDRESS: 'x:1, y:2', MICRO_BROKER_ADDRESS: 'own' };
    const expected = { transport: ['x:1', 'y:2'], broker: ['own'], registry: [] };
    expect(await addressesOf(argv, env)).toEqual(expected);
    expect(await addressesOf([...argv, '--nats-address', 'z'], env)).toEqual({ ...expected, transport: ['z'] });
    expect(await addressesOf(all('my-bus'), { MICRO_MY_BUS_ADDRESS: 'a' })).toEqual({
      transport: ['a'],
      broker: ['a'],
      registry: ['a'],
    });
  });

  it.each([
    ['a, b', ['a', 'b']],
    ['app:pass,word@a:1,b:2', ['app:pass,word@a:1', 'b:2']],
    ['nats://app:pass,wo,rd@a , tls://b:2', ['nats://app:pass,wo,rd@a', 'tls://b:2']],
    ['[::1]:4222,::1,fe80::2,app:pw@c', ['[::1]:4222', '::1', 'fe80::2', 'app:pw@c']],
    ['redis://a:1/0,b,c', ['redis://a:1/0', 'b', 'c']],
    ['app:pw,', ['app:pw']],
  ])('in %s are not divided inside of credentials', async (list, expected) => {
    expect((await addressesOf(all('probe'), { MICRO_REGISTRY_ADDRESS: list })).registry).toEqual(expected);
  });
});

describe('settings of plugins', () => {
  async function settingsOf(argv: readonly string[], env: Environment = {}): Promise<unknown> {
    made.length = 0;
    await using _plugins = fromFlags(argv, env);
    return Object.fromEntries(made.map(({ kind, options }) => [kind, options.settings]));
  }
  const file = (text: string): string => {
    const folder = mkdtempSync(join(tmpdir(), 'ts-micro-flags-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'secret'), text);
    return join(folder, 'secret');
  };

  it('come by flag and environment, to every plugin of that name', async () => {
    const env = { MICRO_MY_BUS_PASSWORD: 's3cret', MICRO_MY_BUS_USER: 'env' };
    const settings = { my_bus_user: 'app', my_bus_password: 's3cret' };
    expect(await settingsOf([...all('my-bus'), '--my-bus-user=app'], env)).toEqual({
      transport: settings,
      broker: settings,
      registry: settings,
    });
    expect(await settingsOf([...all('probe')], env)).toEqual({ transport: {}, broker: {}, registry: {} });
  });

  it('come from a file without its last line end, where the plugin allows it', async () => {
    const path = file('s3cret word\r\n');
    for (const [argv, env] of [
      [[`--my_bus_password_file=${path}`], { MICRO_MY_BUS_PASSWORD: 'env' }],
      [[], { MICRO_MY_BUS_PASSWORD_FILE: path }],
    ] as const) {
      expect(await settingsOf(['--broker=my-bus', ...argv], env)).toMatchObject({
        broker: { my_bus_password: 's3cret word' },
      });
    }
    expect(errorOf(['--my_bus_user_file=x']).message).toContain('--my_bus_user_file is not known');
  });

  it('refuse a file that cannot be read, is empty or endless, and a value beside it', () => {
    expect(errorOf(['--my_bus_password_file=/nowhere/x']).message).toContain(
      "flags: --my_bus_password_file: the file cannot be read: ENOENT: no such file or directory, open '/nowhere/x'",
    );
    expect(errorOf(['--my_bus_password_file=/dev/zero']).message).toContain('it has more than 1048576 bytes');
    expect(errorOf([], { MICRO_MY_BUS_PASSWORD_FILE: file('\n') }).message).toContain('is empty');
    expect(errorOf(['--my_bus_password_file=x', '--my_bus_password=s3cret'])).toMatchObject({
      code: 'invalid',
      message: 'flags: --my_bus_password and --my_bus_password_file exclude each other',
    });
  });

  it('that are not known are refused, and show no value', () => {
    expect(errorOf(['--my_bus_pasword=s3cret'])).toMatchObject({
      code: 'invalid',
      message: 'flags: --my_bus_pasword is not known; did you mean --my_bus_password?',
    });
    expect(errorOf(['--my_bus_password:s3cret']).message).toBe(
      'flags: --my_bus_password is not known; did you mean --my_bus_password?',
    );
    expect(fromFlags(['--other_bus_user=x'], {}).rest).toEqual(['--other_bus_user=x']);
  });

  it('are listed after those of the runtime', () => {
    const flags = listFlags();
    expect(flags[0]).toEqual({ name: 'transport', about: 'the transport, by the name of its plugin', fromFile: false });
    expect(flags.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['registry_address', 'client_retries', 'nats_address', 'my_bus_address', 'my_bus_user']),
    );
    expect(flags.find(({ name }) => name === 'my_bus_password')).toEqual({
      name: 'my_bus_password',
      about: 'how you prove it',
      fromFile: true,
    });
  });
});

describe('settings', () => {
  it('are there only where they were given', async () => {
    expect(await settingsOf([])).toEqual({});
    expect({ name: 'greeter', ...fromFlags([], {}) }.name).toBe('greeter');
    expect({ name: 'greeter', ...fromFlags(['--server_name=other'], {}) }.name).toBe('other');
  });

  it('leave the life of the result out of a spread', () => {
    expect(Object.keys({ ...fromFlags([], {}) }).sort()).toEqual([
      'broker',
      'fallbacks',
      'logger',
      'registry',
      'rest',
      'transport',
    ]);
  });

  it.each([
    ['--server_name=greeter', 'MICRO_SERVER_NAME', 'greeter', { name: 'greeter' }],
    ['--server_id=1', 'MICRO_SERVER_ID', '1', { id: '1' }],
    ['--server_version=1.2', 'MICRO_SERVER_VERSION', '1.2', { version: '1.2' }],
    ['--server_address=greeter.a', 'MICRO_SERVER_ADDRESS', 'greeter.a', { address: 'greeter.a' }],
    ['--server_address=:0', 'MICRO_SERVER_ADDRESS', ':0', {}],
    ['--server_advertise=x', 'MICRO_SERVER_ADVERTISE', 'x', { advertise: 'x' }],
    ['--server_metadata=a=1,b=x=y', 'MICRO_SERVER_METADATA', 'a=1, b=x=y', { metadata: { a: '1', b: 'x=y' } }],
    ['--register_ttl=60', 'MICRO_REGISTER_TTL', '60', { registerTtlMs: 60_000 }],
    ['--register_ttl=1m30s', 'MICRO_REGISTER_TTL', '1m30s', { registerTtlMs: 90_000 }],
    ['--register_interval=30', 'MICRO_REGISTER_INTERVAL', '30', { registerIntervalMs: 30_000 }],
    ['--client_request_timeout=500ms', 'MICRO_CLIENT_REQUEST_TIMEOUT', '500ms', { timeoutMs: 500 }],
    ['--client_retries=0', 'MICRO_CLIENT_RETRIES', '0', { retries: 0 }],
    ['--client_pool_size=10', 'MICRO_CLIENT_POOL_SIZE', '10', { poolSize: 10 }],
    ['--client_pool_ttl=45s', 'MICRO_CLIENT_POOL_TTL', '45s', { poolIdleMs: 45_000 }],
    ['--selector=random', 'MICRO_SELECTOR', 'random', { selector: 'random' }],
    ['--selector=round_robin', 'MICRO_SELECTOR', 'roundRobin', { selector: 'roundRobin' }],
    ['--selector=registry', 'MICRO_SELECTOR', 'registry', { selector: 'random' }],
  ])('understand %s, and %s', async (flag, variable, text, expected) => {
    expect(await settingsOf([flag])).toEqual(expected);
    expect(await settingsOf([], { [variable]: text })).toEqual(expected);
    expect(await settingsOf(flag.split(/=(.*)/s).filter((part) => part !== ''))).toEqual(expected);
    expect(await settingsOf([flag.replace(/_/g, '-').replace('round-robin', 'round_robin')])).toEqual(expected);
  });

  it('prefer the flag to the environment and the last flag to the first', async () => {
    const env = { MICRO_SERVER_NAME: 'env' };
    expect(await settingsOf(['--server_name=one', '--server_name', 'two'], env)).toEqual({ name: 'two' });
  });

  it('collect metadata over several flags, instead of what the environment says', async () => {
    const argv = ['--server_metadata=a=1', '--server_metadata', 'b=2,c=', '--server_metadata=a=3'];
    expect(await settingsOf(argv, { MICRO_SERVER_METADATA: 'd=4' })).toEqual({ metadata: { a: '3', b: '2', c: '' } });
  });

  it('keep metadata named __proto__ plain', async () => {
    const { metadata } = (await settingsOf(['--server_metadata=__proto__=x,constructor=y'])) as {
      metadata: Record<string, string>;
    };
    expect(Object.entries(metadata)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  it('take an empty value for none', async () => {
    expect(await settingsOf(['--server_name='], { MICRO_SERVER_NAME: 'env', MICRO_SERVER_ID: ' ' })).toEqual({
      name: 'env',
    });
  });

  it.each([
    ['--client_retries=-1', 'flags: --client_retries=-1 is not a whole number of at least 0'],
    ['--client_retries=1.5', 'flags: --client_retries=1.5 is not a whole number of at least 0'],
    ['--client_pool_size=0', 'flags: --client_pool_size=0 is not a whole number of at least 1'],
    [
      '--client_request_timeout=5',
      'flags: --client_request_timeout=5 is not a positive duration such as 500ms or 1m30s',
    ],
    [
      '--client_request_timeout=-5s',
      'flags: --client_request_timeout=-5s is not a positive duration such as 500ms or 1m30s',
    ],
    ['--client_pool_ttl=0', 'flags: --client_pool_ttl=0 is not a positive duration such as 500ms or 1m30s'],
    [
      '--register_ttl=soon',
      'flags: --register_ttl=soon is neither a positive number of seconds nor a duration such as 1m30s',
    ],
    [
      '--register_ttl=0',
      'flags: --register_ttl=0 is neither a positive number of seconds nor a duration such as 1m30s',
    ],
    ['--register_interval=9999999', 'flags: --register_interval=9999999 is neither a positive number'],
    ['--server_metadata=a', 'flags: --server_metadata=a is not of the form name=value'],
    ['--server_metadata=a=1,=2', 'flags: --server_metadata==2 is not of the form name=value'],
    ['--selector=best', 'flags: --selector=best is not one of random, roundRobin'],
    ['--registry', 'flags: --registry has no value'],
    ['--registry_adress=x', 'flags: --registry_adress is not known; did you mean --registry_address?'],
    ['--server-nam=x', 'flags: --server-nam is not known; did you mean --server_name?'],
    ['--client_timeout=x', 'flags: --client_timeout is not known; did you mean --client_retries?'],
    ['--brokers', 'flags: --brokers is not known; did you mean --broker?'],
    ['--selectors=x', 'flags: --selectors is not known; did you mean --selector?'],
  ])('refuse %s', (flag, message) => {
    const error = errorOf([flag]);
    expect(error.code).toBe('invalid');
    expect(error.message).toContain(message);
  });

  it('name the environment where the value came from there', () => {
    expect(errorOf([], { MICRO_CLIENT_RETRIES: 'x' })).toMatchObject({
      code: 'invalid',
      message: 'flags: MICRO_CLIENT_RETRIES=x is not a whole number of at least 0',
    });
  });

  it('refuse a flag whose value is the next flag', () => {
    expect(errorOf(['--server_name', '--server_id=1']).message).toBe('flags: --server_name has no value');
  });
});

describe('other arguments', () => {
  it('are left alone, in order', () => {
    const argv = [
      'node',
      'main.js',
      '--name=John',
      '--registry=nats',
      'x',
      '--calls',
      '5',
      '-v',
      '--server_name',
      'g',
      '--client',
    ];
    expect(fromFlags(argv, {}).rest).toEqual(['node', 'main.js', '--name=John', 'x', '--calls', '5', '-v', '--client']);
  });

  it("after -- are nobody's flags", () => {
    expect(fromFlags(['a', '--', '--registry=nope', '--server_x'], {}).rest).toEqual([
      'a',
      '--',
      '--registry=nope',
      '--server_x',
    ]);
  });

  it('and other variables of the environment say nothing', async () => {
    expect(await settingsOf([], { MICRO_SERVER_NOPE: 'x', SERVER_NAME: 'y', HOME: '/' })).toEqual({});
  });
});

it.each([
  ['arguments that are none', null, {}, {}, 'flags: the arguments are no list of texts'],
  ['an argument that is a number', ['--registry', 5], {}, {}, 'flags: the arguments are no list of texts'],
  ['no environment', [], undefined, {}, 'flags: the environment is no object of names and texts'],
  ['a variable that is a number', [], { MICRO_NATS_PASSWORD: 4711 }, {}, 'flags: MICRO_NATS_PASSWORD is not a text'],
  ['options that are null', [], {}, null, 'flags: the options are null, not an object'],
  ['a slip in an option', [], {}, { log: {} }, 'flags: there is no option "log", and logger may be meant'],
])('%s are `invalid`', (_, argv, env, options, words) => {
  expect(() => fromFlags(argv as never, env as never, options as never)).toThrow(new MicroError('invalid', words));
});
