import { createClient, createService } from '@ts-micro/service';
import { describe, expect, it } from 'vitest';
import {
  bidiStream,
  clientStream,
  defineService,
  handle,
  implement,
  type Schema,
  serverStream,
  subscribe,
  typedClient,
  unary,
  unchecked,
} from '../src/index.ts';
import { memoryPlugins } from './memory-plugins.ts';
import { rejection, startWorld } from './world.ts';

const any = unchecked<unknown>();
const slow: Schema<unknown> = {
  '~standard': { version: 1, vendor: 'test', validate: async (value) => ({ value }) },
};
const echo = defineService({
  name: 'greeter',
  endpoints: {
    'Echo.Unary': unary({ request: any, response: any }),
    'Echo.Slow': unary({ request: slow, response: any }),
    'Echo.Many': serverStream({ request: any, response: any }),
    'Echo.Upload': clientStream({ request: any, response: any }),
    'Echo.Chat': bidiStream({ request: any, response: any }),
  },
  events: { 'echo.said': any },
});
const handlers = {
  'Echo.Unary': (request: unknown) => request,
  'Echo.Slow': (request: unknown) => request,
  'Echo.Many': () => [1],
  'Echo.Upload': () => 1,
  'Echo.Chat': async () => {},
};

const invalid = (words: string) =>
  expect.objectContaining({ code: 'invalid', message: expect.stringContaining(words) });
const endpointOf = (init: object) => unary({ request: any, response: any, ...init });
const define = (endpoint: unknown) => defineService({ name: 'a', endpoints: { 'A.B': endpoint as never } });

describe('what cannot be part of a definition is refused at once', () => {
  it.each([
    ['nothing', () => defineService(undefined as never), 'definition: the options are undefined'],
    ['no endpoints', () => defineService({ name: 'a' } as never), 'option endpoints is undefined'],
    ['no events', () => defineService({ name: 'a', endpoints: {}, events: null } as never), 'option events is null'],
    ['an endpoint of nothing', () => unary(undefined as never), 'unary: the options are undefined'],
    ['an endpoint that is none', () => define(null), 'endpoint "A.B": option kind is undefined'],
    ['an endpoint made by hand', () => define({ request: any, response: any, errors: {} }), 'option kind is undefined'],
    ['idempotent', () => define(endpointOf({ idempotent: 'no' })), 'option idempotent is "no"'],
    ['a description', () => define(endpointOf({ description: 5 })), 'option description is 5'],
    ['a content type', () => define(endpointOf({ contentType: 5 })), 'option contentType is 5'],
    ['codecs', () => define(endpointOf({ codecs: {} })), 'option codecs is an object'],
    ['a converter', () => defineService({ name: 'a', endpoints: {}, jsonSchema: 'x' } as never), 'option jsonSchema'],
  ])('%s', (_, make, words) => {
    expect(make).toThrow(invalid(words));
  });
});

describe('what cannot be implemented is refused at once', () => {
  const nothing = undefined as never;
  const generator = function* () {
    yield 1;
  } as never;
  it.each<[string, (service: never) => void, string]>([
    ['no handler', (service) => handle(service, echo, 'Echo.Unary', nothing), 'option handler is undefined'],
    ['no handler of a stream', (service) => handle(service, echo, 'Echo.Many', nothing), 'option handler is undefined'],
    ['no subscriber', (service) => subscribe(service, echo, 'echo.said', nothing), 'option handler is undefined'],
    ['a generator', (service) => handle(service, echo, 'Echo.Unary', generator), 'it is a generator'],
    ['one that reads', (service) => handle(service, echo, 'Echo.Upload', generator), 'it is a generator'],
    ['one that chats', (service) => handle(service, echo, 'Echo.Chat', generator), 'it is a generator'],
    ['one that subscribes', (service) => subscribe(service, echo, 'echo.said', generator), 'it is a generator'],
    ['no handlers', (service) => implement(service, echo, nothing), 'the options are undefined'],
    ['no definition', (service) => implement(service, nothing, handlers as never), 'option definition is undefined'],
    ['no service', () => handle({} as never, echo, 'Echo.Many', handlers['Echo.Many']), 'option service is an object'],
    ['no options', (service) => handle(service, echo, 'Echo.Many', () => [], null as never), 'the options are null'],
    [
      'a slip',
      (service) => implement(service, echo, handlers, { validateRequest: false } as never),
      'validateRequests may',
    ],
  ])('%s', async (_, add, words) => {
    await using plugins = await memoryPlugins();
    await using service = createService({ name: 'greeter', ...plugins });
    expect(() => add(service as never)).toThrow(invalid(words));
  });

  it('and a generator is taken where it makes what is sent', async () => {
    await using world = await startWorld(memoryPlugins, 'auto', (service) => {
      handle(service, echo, 'Echo.Many', generator);
      handle(service, echo, 'Echo.Chat', async function* () {
        yield 2;
      });
    });
    const { Echo } = typedClient(world.client, echo);
    await using many = Echo.Many({});
    await using chat = await Echo.Chat();
    expect([await many.receive(), await chat.receive()]).toEqual([1, 2]);
  });
});

describe('a client of what is none is refused at once', () => {
  it.each<[string, (client: never) => unknown, string]>([
    ['no definition', (client) => typedClient(client, null as never), 'option definition is null'],
    ['no client', () => typedClient(null as never, echo), 'option client is null'],
    ['no options', (client) => typedClient(client, echo, 'greeter' as never), 'the options are "greeter"'],
    ['a slip', (client) => typedClient(client, echo, { validateEvent: false } as never), 'validateEvents may be meant'],
  ])('%s', async (_, make, words) => {
    await using plugins = await memoryPlugins();
    await using client = createClient(plugins);
    expect(() => make(client as never)).toThrow(invalid(words));
  });
});

describe('options of a call that are none', () => {
  it.each([500, 'greeter', true])('are refused and not left out: %s', async (given) => {
    await using world = await startWorld(memoryPlugins, 'auto', (service) => implement(service, echo, handlers));
    const { Echo, events } = typedClient(world.client, echo);
    const options = given as never;
    const failures = [
      Echo.Unary({}, options),
      Echo.Slow({}, options),
      Echo.Many({}, options).receive(),
      Echo.Upload([], options),
      Echo.Chat(options),
      events['echo.said'].publish({}, options),
    ];
    for (const failure of failures.map(rejection)) expect(await failure).toEqual(invalid('client: the options are'));
  });

  it('reject and never throw, whatever they are', async () => {
    await using world = await startWorld(memoryPlugins, 'auto', (service) => implement(service, echo, handlers));
    const { Echo } = typedClient(world.client, echo);
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(await rejection(Echo.Unary({}, proxy))).toEqual(invalid('the options cannot be read'));
    for (const timeoutMs of [Number.NaN, -1, '5', 5n, Symbol('x'), Number.POSITIVE_INFINITY] as never[])
      expect(await rejection(Echo.Slow({}, { timeoutMs }))).toEqual(invalid('option timeoutMs is'));
  });
});

it('handlers may be methods of a class', async () => {
  class EchoHandlers {
    readonly #greeting = 'hello';
    'Echo.Unary'() {
      return this.#greeting;
    }
    'Echo.Slow'() {
      return this.#greeting;
    }
    *'Echo.Many'() {
      yield this.#greeting;
    }
    'Echo.Upload'() {
      return this.#greeting;
    }
    async *'Echo.Chat'() {
      yield this.#greeting;
    }
  }
  await using world = await startWorld(memoryPlugins, 'auto', (service) =>
    implement(service, echo, new EchoHandlers()),
  );
  const { Echo } = typedClient(world.client, echo);
  await using many = Echo.Many({});
  await using chat = await Echo.Chat();
  const answers = [await Echo.Unary({}), await many.receive(), await Echo.Upload([]), await chat.receive()];
  expect(answers).toEqual(['hello', 'hello', 'hello', 'hello']);
});

it('an answer in a promise of any make is waited for', async () => {
  const late = (value: unknown) =>
    Object.fromEntries([['then', (resolve: (value: unknown) => void) => void setImmediate(resolve, value)]]);
  await using world = await startWorld(memoryPlugins, 'auto', (service) => {
    handle(service, echo, 'Echo.Unary', (request) => late(request));
  });
  expect(await typedClient(world.client, echo).Echo.Unary({ a: 1 })).toEqual({ a: 1 });
});

it('promises in an answer that nobody awaited end no process as they reject', async () => {
  const late = async () => {
    throw new Error('late');
  };
  await using world = await startWorld(memoryPlugins, 'auto', (service) => {
    handle(service, echo, 'Echo.Unary', () => ({ user: late(), items: [late()] }));
    handle(service, echo, 'Echo.Many', () => [{ user: late() }]);
  });
  const { Echo } = typedClient(world.client, echo);
  expect(await rejection(Echo.Unary({}))).toMatchObject({ remote: { code: 500 } });
  expect(await rejection(Echo.Many({}).receive())).toMatchObject({ remote: { code: 500 } });
  expect(await rejection(Echo.Unary({ user: late() }))).toMatchObject({ code: 'invalid' });
  // What rejects unheard is told after the microtasks of a turn.
  await new Promise(setImmediate);
});

describe('a converter that gives no JSON Schema costs no more than what it was to tell', () => {
  const odd: Readonly<Record<string, () => unknown>> = {
    'a promise that rejects': () => Promise.reject(new Error('later')),
    'a text': () => 'x',
    'a bigint': () => ({ type: 'integer', maximum: 5n }),
    'a circle': () => {
      const circle: Record<string, unknown> = {};
      circle.properties = { circle };
      return circle;
    },
    'a broken reference': () => ({ $ref: '#/$defs/%', $defs: {} }),
    'broken fields': () => ({ type: 'object', properties: { a: null } }),
  };
  it.each(Object.keys(odd))('%s', async (kind) => {
    const definition = defineService({
      name: 'greeter',
      endpoints: { 'Echo.Unary': unary({ request: any, response: any }) },
      events: { 'echo.said': any },
      jsonSchema: odd[kind] as never,
    });
    await using world = await startWorld(memoryPlugins, 'auto', (service) => {
      handle(service, definition, 'Echo.Unary', (request) => request);
      subscribe(service, definition, 'echo.said', () => {});
    });
    expect(await typedClient(world.client, definition).Echo.Unary(1)).toBe(1);
    expect(world.service.record.endpoints[0]?.request).toBeUndefined();
  });
});
