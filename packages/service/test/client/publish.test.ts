import type { BrokerEvent } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/create-client.ts';
import { bodyOf, codeOf, openWorld, until } from './world.ts';

it('publishes what Go Micro subscribers expect', async () => {
  await using world = openWorld();
  const events: BrokerEvent[] = [];
  await world.broker.subscribe('greeter.events', (event) => void events.push(event));
  const client = world.client({ callMetadata: { Tenant: 'x' } });
  await client.publish('greeter.events', { name: 'John' });
  await client.publish('greeter.events', { name: 'Jane' }, { metadata: { Tenant: 'y', Timeout: '5' } });
  await until(() => events.length === 2);
  const [first, second] = events as [BrokerEvent, BrokerEvent];
  const id = first.message.headers['Micro-ID'];
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(first.message.headers).toEqual({
    'Content-Type': 'application/json',
    'Micro-ID': id,
    'Micro-Id': id,
    'Micro-Topic': 'greeter.events',
    Tenant: 'x',
  });
  expect(Buffer.from(first.message.body).toString()).toBe('{"name":"John"}\n');
  expect(second.message.headers.Tenant).toBe('y');
  expect(second.message.headers).not.toHaveProperty('Timeout');
  expect(second.message.headers['Micro-ID']).not.toBe(id);
  expect(bodyOf(second.message)).toEqual({ name: 'Jane' });
});

it('publishes bytes as they are', async () => {
  await using world = openWorld();
  const events: BrokerEvent[] = [];
  await world.broker.subscribe('raw', (event) => void events.push(event));
  await world.client().publish('raw', new Uint8Array([1, 2]), { contentType: 'application/octet-stream' });
  await until(() => events.length === 1);
  expect([...(events[0]?.message.body ?? [])]).toEqual([1, 2]);
});

it('says what is missing', async () => {
  await using world = openWorld();
  await using client = createClient({ transport: world.transport });
  await expect(client.publish('topic')).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('needs a broker'),
  });
  expect(await codeOf(world.client().publish('topic', {}, { contentType: 'x/y' }))).toBe('unsupported');
  expect(await codeOf(world.client().publish('topic', 1n))).toBe('invalid');
  expect(await codeOf(world.client().publish('a b', {}))).toBe('invalid');
  expect(await codeOf(world.client().publish('topic', {}, { signal: AbortSignal.abort() }))).toBe('canceled');
});

describe('an event published in the course of a request', () => {
  const open = new AbortController().signal;
  const late = { metadata: {}, deadline: Date.now() - 1, signal: open };
  const left = { metadata: {}, deadline: undefined, signal: AbortSignal.abort() };

  it.each([
    ['timeout', 'its deadline has passed', { context: late }],
    ['canceled', 'its caller has left', { context: left }],
    ['canceled', 'its caller has left, whatever signal of its own it has', { context: left, signal: open }],
    ['canceled', 'its own signal has aborted', { context: { ...left, signal: open }, signal: left.signal }],
  ])('is refused as %s where %s, and reaches nobody', async (code, _, options) => {
    await using world = openWorld();
    const events: BrokerEvent[] = [];
    await world.broker.subscribe('topic', (event) => void events.push(event), { concurrency: 1 });
    const wrapped = world.client({ middleware: [(_call, next) => next()] });
    for (const client of [world.client(), wrapped])
      expect(await codeOf(client.publish('topic', {}, options))).toBe(code);
    await world.client().publish('topic', 'the last');
    await until(() => events.length > 0);
    expect(events.map(({ message }) => bodyOf(message))).toEqual(['the last']);
  });

  it('is published while there is time', async () => {
    await using world = openWorld();
    const events: BrokerEvent[] = [];
    await world.broker.subscribe('topic', (event) => void events.push(event));
    await world.client().publish('topic', {}, { context: { ...late, deadline: Date.now() + 60_000 }, signal: open });
    await until(() => events.length === 1);
  });

  it('leaves nothing at its signals', async () => {
    await using world = openWorld();
    // One of another package, whose listeners can be counted.
    const listeners = new Set<unknown>();
    const counting = {
      aborted: false,
      reason: undefined,
      addEventListener: (_type: string, listener: unknown) => listeners.add(listener),
      removeEventListener: (_type: string, listener: unknown) => listeners.delete(listener),
    } as unknown as AbortSignal;
    const context = { metadata: {}, deadline: undefined, signal: open };
    for (let count = 0; count < 3; count++) await world.client().publish('topic', {}, { context, signal: counting });
    expect(await codeOf(world.client().publish('a b', {}, { context, signal: counting }))).toBe('invalid');
    expect(listeners.size).toBe(0);
  });
});
