import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { BrokerEvent } from '@ts-micro/core';
import type { Row } from '../matrix/row.ts';
import { eventually } from '../matrix/wait.ts';
import type { PeerLine } from '../peer-process.ts';

const direction = 'events';
const generations = ['v5'];

interface GoStreamEvent {
  readonly id: string;
  readonly topic: string;
  readonly timestamp: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly payload: string;
}

function eventsOf(lines: readonly PeerLine[], topic: string): GoStreamEvent[] {
  return lines
    .filter(({ event }) => event === 'stream event')
    .map(({ message }) => message as GoStreamEvent)
    .filter((event) => event.topic === topic);
}

function freshTopic(): string {
  return `interop_${randomUUID().slice(0, 8)}`;
}

function textOf({ message }: BrokerEvent): string {
  return Buffer.from(message.body).toString();
}

/** Events of `events.Stream` over JetStream, shared by Go and TypeScript. */
export const storedEventRows: readonly Row[] = [
  {
    id: 'stored-ts-to-go',
    title: 'a stored event of a TypeScript broker reaches an `events.Stream` of Go, with id and metadata',
    direction,
    generations,
    run: async (stage) => {
      const topic = freshTopic();
      const broker = await stage.openEvents();
      const client = await stage.goClient();
      await client.command({ op: 'consumeEvents', topic, queue: 'go' });
      const body = Buffer.from(JSON.stringify({ text: '<é> 日本' }));
      for (const _attempt of [1, 2]) await broker.publish(topic, { headers: { Foo: 'bar' }, body }, { id: 'event-1' });
      await broker.publish(topic, { headers: {}, body: Buffer.from('2') });
      const events = await eventually('both events', () => {
        const all = eventsOf(client.lines, topic);
        return all.length >= 2 && all;
      });
      const [first, second] = events;
      assert.equal(events.length, 2, 'an id is stored once');
      assert.deepEqual([first?.id, first?.payload], ['event-1', body.toString()]);
      assert.deepEqual([first?.metadata, second?.payload], [{ Foo: 'bar' }, '2']);
      assert.ok(Math.abs(Date.parse(first?.timestamp ?? '') - Date.now()) < 60_000, `timestamp ${first?.timestamp}`);
    },
  },
  {
    id: 'stored-go-to-ts',
    title: 'a stored event of Go reaches a TypeScript queue, also what was published while it had no member',
    direction,
    generations,
    run: async (stage) => {
      const topic = freshTopic();
      const broker = await stage.openEvents();
      const got: BrokerEvent[] = [];
      const join = () => broker.subscribe(topic, (event) => void got.push(event), { queue: 'workers' });
      const first = await join();
      const client = await stage.goClient();
      const publish = (body: PeerLine) => client.command({ op: 'publishEvent', topic, body, metadata: { Foo: 'bar' } });
      await publish({ text: '<é> 日本' });
      await eventually('the event', () => got.length === 1);
      assert.deepEqual(JSON.parse(textOf(got[0] as BrokerEvent)), { text: '<é> 日本' });
      assert.equal(got[0]?.message.headers.Foo, 'bar');
      assert.equal(got[0]?.topic, topic);
      await first.close();
      const { ok } = await publish({ n: 2 });
      assert.ok(ok, 'Go publishes where nobody is');
      await using _second = await join();
      await eventually('what waited', () => got.length === 2);
      assert.equal(textOf(got[1] as BrokerEvent), '{"n":2}');
    },
  },
  {
    id: 'stored-shared',
    title: 'a stream that Go made is shared: each side gets the thousand events of the other, in order',
    direction,
    generations,
    run: async (stage) => {
      const topic = freshTopic();
      const client = await stage.goClient();
      const { ok } = await client.command({ op: 'consumeEvents', topic, queue: 'go' });
      assert.ok(ok, 'Go makes the stream');
      const broker = await stage.openEvents();
      const got: string[] = [];
      await using _plain = await broker.subscribe(topic, (event) => void got.push(textOf(event)));
      const texts = Array.from({ length: 1000 }, (_, n) => `{"n":${n}}`);
      await Promise.all(texts.map((text) => broker.publish(topic, { headers: {}, body: Buffer.from(text) })));
      await client.command({ op: 'publishEvent', topic, count: 1000, body: { go: true } });
      await eventually('all at both sides', () => got.length >= 2000 && eventsOf(client.lines, topic).length >= 2000);
      const ofGo = Array.from({ length: 1000 }, () => '{"go":true}');
      assert.deepEqual(got, [...texts, ...ofGo]);
      assert.deepEqual(
        eventsOf(client.lines, topic).map(({ payload }) => payload),
        [...texts, ...ofGo],
      );
    },
  },
];
