import { expect, it } from 'vitest';
import { defineService, handle, type Schema, serverStream, typedClient, unary, unchecked } from '../src/index.ts';
import { memoryPlugins } from './memory-plugins.ts';
import { rejection, startWorld } from './world.ts';

const fail = () => {
  throw new Error('secret');
};
const thenable = (then: unknown) => Object.fromEntries([['then', then]]);
const results: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  null: () => null,
  boolean: () => true,
  getter: () => Object.defineProperty({}, 'issues', { get: fail }),
  'then that throws': () => thenable(fail),
  'then that cannot be read': () => Object.defineProperty({}, 'then', { get: fail }),
  'promise of nothing': async () => undefined,
};

function schemaOf(validate: (value: unknown) => unknown): Schema<unknown> {
  return { '~standard': { version: 1, vendor: 'test', validate } } as unknown as Schema<unknown>;
}

it.each(Object.keys(results))('a validator that gives %s has failed, and is told without its words', async (kind) => {
  const validate = results[kind] as () => unknown;
  const echo = defineService({
    name: 'greeter',
    endpoints: { 'Echo.Request': unary({ request: schemaOf(validate), response: unchecked<unknown>() }) },
  });
  await using world = await startWorld(memoryPlugins, 'auto', (service) => {
    handle(service, echo, 'Echo.Request', (request) => request);
  });
  const told = { code: 'internal', message: 'definition: a test validator failed' };
  expect(await rejection(typedClient(world.client, echo).Echo.Request({}))).toMatchObject(told);
});

it('a promise of any make is waited for', async () => {
  const validate = (value: unknown) => thenable((resolve: (result: unknown) => void) => resolve({ value: [value] }));
  const echo = defineService({
    name: 'greeter',
    endpoints: { 'Echo.Response': unary({ request: unchecked<string>(), response: schemaOf(validate) }) },
  });
  await using world = await startWorld(memoryPlugins, 'auto', (service) => {
    handle(service, echo, 'Echo.Response', (text) => text, { validateResponses: false });
  });
  expect(await typedClient(world.client, echo).Echo.Response('a')).toEqual(['a']);
});

it('a promise of any make that a validator makes of a value is waited for', async () => {
  const validate = (value: unknown) => ({ value: thenable((resolve: (output: unknown) => void) => resolve([value])) });
  const echo = defineService({
    name: 'greeter',
    endpoints: {
      'Echo.Response': unary({ request: unchecked<string>(), response: schemaOf(validate) }),
      'Echo.Many': serverStream({ request: unchecked<string>(), response: schemaOf(validate) }),
    },
  });
  await using world = await startWorld(memoryPlugins, 'auto', (service) => {
    handle(service, echo, 'Echo.Response', (text) => text, { validateResponses: false });
    handle(service, echo, 'Echo.Many', (text) => [text], { validateResponses: false });
  });
  const { Echo } = typedClient(world.client, echo);
  expect(await Echo.Response('a', { timeoutMs: 5000 })).toEqual(['a']);
  expect(await Echo.Response('a')).toEqual(['a']);
  expect(await Echo.Many('a').receive()).toEqual(['a']);
});

it('a handler of a server stream that gives no iterable is told so in the log and to its caller', async () => {
  const echo = defineService({
    name: 'greeter',
    endpoints: { 'Echo.Many': serverStream({ request: unchecked<string>(), response: unchecked<string>() }) },
  });
  await using world = await startWorld(memoryPlugins, 'auto', (service) => {
    handle(service, echo, 'Echo.Many', (() => undefined) as never);
  });
  const words = 'greeter Echo.Many: the handler gave no iterable of responses';
  const failed = await rejection(typedClient(world.client, echo).Echo.Many('a').receive());
  expect(failed).toMatchObject({ remote: { code: 500, detail: words } });
  expect(world.log).toContainEqual(expect.objectContaining({ level: 'error', message: 'handler failed' }));
});
