import type { ErrorCode } from '@ts-micro/core';
import type { Client } from '@ts-micro/service';
import { describe, expect, it } from 'vitest';
import { type Dialect, expectFault, hello, openWorld, type World } from './faults-world.ts';

interface Fault {
  readonly what: string;
  readonly code: ErrorCode;
  readonly words: readonly string[];
  readonly act: (world: World) => Promise<unknown>;
}

async function firstOfStream(client: Client, endpoint: string, value?: unknown): Promise<unknown> {
  await using stream = await client.stream('greeter', endpoint);
  if (value !== undefined) await stream.send(value);
  return await stream.receive();
}

const faults: readonly Fault[] = [
  {
    what: 'a call of an unknown service',
    code: 'not_found',
    words: ['nobody'],
    act: ({ client }) => client.call('nobody', 'Greeter.Hello'),
  },
  {
    what: 'a call of an unknown version',
    code: 'not_found',
    words: ['greeter', '2.0.0', '1.0.0'],
    act: ({ client }) => client.call('greeter', 'Greeter.Hello', {}, { version: '2.0.0' }),
  },
  {
    what: 'a call of an unknown endpoint',
    code: 'not_found',
    words: ['greeter', 'Nope'],
    act: ({ client }) => client.call('greeter', 'Greeter.Nope'),
  },
  {
    what: 'a call of an endpoint that cannot be one',
    code: 'not_found',
    words: ['Hello'],
    act: ({ client }) => client.call('greeter', 'Hello'),
  },
  {
    what: 'a stream of an unknown endpoint',
    code: 'not_found',
    words: ['Nope'],
    act: ({ client }) => firstOfStream(client, 'Greeter.Nope'),
  },
  {
    what: 'a stream of an endpoint without one',
    code: 'unsupported',
    words: ['Greeter.Hello'],
    act: ({ client }) => firstOfStream(client, 'Greeter.Hello'),
  },
  {
    what: 'a call of a stream',
    code: 'unsupported',
    words: ['Greeter.Chat'],
    act: ({ client }) => client.call('greeter', 'Greeter.Chat'),
  },
  {
    what: 'a call to an address that cannot be one',
    code: 'invalid',
    words: ['a b'],
    act: ({ client }) => client.call('greeter', 'Greeter.Hello', {}, { address: 'a b' }),
  },
  {
    what: 'a call to an address where nobody listens',
    code: 'unavailable',
    words: ['nobody.there'],
    act: ({ client }) => client.call('greeter', 'Greeter.Hello', {}, { address: 'nobody.there' }),
  },
  {
    what: 'a call with a header name that is none',
    code: 'invalid',
    words: ['a b'],
    act: ({ client }) => client.call('greeter', 'Greeter.Hello', {}, { metadata: { 'a b': 'x' } }),
  },
  {
    what: 'a call with a line break in a header',
    code: 'invalid',
    words: ['trace'],
    act: ({ client }) => client.call('greeter', 'Greeter.Hello', {}, { metadata: { trace: 'a\r\nb' } }),
  },
  {
    what: 'a call with a value that has no JSON form',
    code: 'invalid',
    words: ['Greeter.Hello'],
    act: ({ client }) => client.call('greeter', 'Greeter.Hello', { size: 1n }),
  },
  {
    what: 'a call with a content type that has no codec',
    code: 'unsupported',
    words: ['application/x-foo'],
    act: ({ client }) => client.call('greeter', 'Greeter.Hello', {}, { contentType: 'application/x-foo' }),
  },
  {
    what: 'a call whose handler throws',
    code: 'remote',
    words: ['it went wrong'],
    act: ({ client }) => client.call('greeter', 'Greeter.Throw'),
  },
  {
    what: 'a call whose handler rejects',
    code: 'remote',
    words: ['it is taken'],
    act: ({ client }) => client.call('greeter', 'Greeter.Reject'),
  },
  {
    what: 'a call whose handler rejects with nothing',
    code: 'remote',
    words: ['greeter Greeter.Nothing'],
    act: ({ client }) => client.call('greeter', 'Greeter.Nothing'),
  },
  {
    what: 'a stream whose handler throws',
    code: 'remote',
    words: ['the stream went wrong'],
    act: async ({ client }) => {
      await using stream = await client.stream('greeter', 'Greeter.Fail');
      expect(await stream.receive()).toEqual({ value: 1 });
      return await stream.receive();
    },
  },
  {
    what: 'an event on a topic that cannot be one',
    code: 'invalid',
    words: ['a b'],
    act: ({ client }) => client.publish('a b', {}),
  },
  {
    what: 'an event on a wildcard',
    code: 'invalid',
    words: ['greeter.*'],
    act: ({ client }) => client.publish('greeter.*', {}),
  },
  {
    what: 'an event with a header that is none',
    code: 'invalid',
    words: ['a:b'],
    act: ({ client }) => client.publish('greeter.say', {}, { metadata: { 'a:b': 'x' } }),
  },
  {
    what: 'an event over max_payload',
    code: 'too_large',
    words: ['greeter.say'],
    act: ({ client }) => client.publish('greeter.say', { text: 'x'.repeat(200_000) }),
  },
];

/** In Go Micro's dialect a message is one NATS message. */
const goFaults: readonly Fault[] = [
  {
    what: 'a call whose request is over max_payload',
    code: 'too_large',
    words: ['greeter Greeter.Hello'],
    act: ({ client }) => client.call('greeter', 'Greeter.Hello', { name: 'x'.repeat(200_000) }),
  },
  {
    what: 'a call whose response is over max_payload',
    code: 'too_large',
    words: ['greeter Greeter.Big'],
    act: ({ client }) => client.call('greeter', 'Greeter.Big', { size: 200_000 }),
  },
  {
    what: 'a message of a stream over max_payload',
    code: 'too_large',
    words: [],
    act: ({ client }) => firstOfStream(client, 'Greeter.Chat', { text: 'x'.repeat(200_000) }),
  },
];

describe.each<[string, Dialect, readonly Fault[]]>([
  ['between two of ours', 'auto', faults],
  ["in Go Micro's dialect", 'go', [...faults, ...goFaults]],
])('over NATS, %s', (_, dialect, list) => {
  it.each(list.map((fault) => [fault.what, fault] as const))(
    '%s fails, and leaves nothing open',
    async (_what, { act, code, words }) => {
      await using world = await openWorld(dialect);
      const before = await world.server.counts();
      await expectFault(() => act(world), code, ...words);
      expect(await hello(world.client)).toEqual({ msg: 'Hello John' });
      await expect.poll(() => world.server.counts()).toEqual(before);
      await expect.poll(() => world.service.health().running).toBe(0);
    },
  );

  it('a stream without end leaves room for others, and ends when it is left', async () => {
    await using world = await openWorld(dialect);
    const stream = await world.client.stream('greeter', 'Greeter.Endless');
    for (let value = 1; value <= 5000; value++) expect(await stream.receive()).toEqual({ value });
    expect(await hello(world.client)).toEqual({ msg: 'Hello John' });
    await stream.close();
    await expect.poll(() => world.service.health().running).toBe(0);
  });
});

describe('a stream that nobody reads', () => {
  it('between two of ours stands still, and goes on where it stood', async () => {
    await using world = await openWorld('auto');
    await using stream = await world.client.stream('greeter', 'Greeter.Endless');
    const sent = await standstill(world);
    expect(sent).toBeLessThan(20_000);
    for (let value = 1; value <= sent + 100; value++) expect(await stream.receive()).toEqual({ value });
    expect(await hello(world.client)).toEqual({ msg: 'Hello John' });
  });

  it("in Go Micro's dialect, which cannot slow a sender down, fails at its bound and ends its handler", async () => {
    await using world = await openWorld('go');
    await using stream = await world.client.stream('greeter', 'Greeter.Endless');
    await standstill(world);
    await expect.poll(() => world.service.health().running).toBe(0);
    let count = 0;
    const read = async () => {
      while ((await stream.receive()) !== undefined) count++;
    };
    await expectFault(read, 'unavailable');
    expect(count).toBe(16_384);
    expect(await hello(world.client)).toEqual({ msg: 'Hello John' });
  });
});

/** Waits until the endless stream sends no more; gives back how much it had sent. */
async function standstill({ sent }: World): Promise<number> {
  let before = -1;
  await expect
    .poll(
      () => {
        const isStill = sent() === before && before > 0;
        before = sent();
        return isStill;
      },
      { interval: 300, timeout: 15_000 },
    )
    .toBe(true);
  return before;
}
