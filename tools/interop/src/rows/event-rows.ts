import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { BrokerEvent } from '@ts-micro/core';
import type { Row } from '../matrix/row.ts';
import { eventually, sleep } from '../matrix/wait.ts';
import type { PeerLine } from '../peer-process.ts';

const direction = 'events';

interface GoEvent {
  readonly topic: string;
  readonly header: Readonly<Record<string, string>> | null;
  readonly body: string;
}

function eventsOf(lines: readonly PeerLine[]): GoEvent[] {
  return lines.filter(({ event }) => event === 'message').map(({ message }) => message as GoEvent);
}

function freshTopic(): string {
  return `interop.${randomUUID().slice(0, 8)}`;
}

/** Events between Go and TypeScript. */
export const eventRows: readonly Row[] = [
  {
    id: 'ts-to-go',
    title: 'an event of a TypeScript client reaches a Go subscriber, with its headers',
    direction,
    run: async (stage) => {
      const topic = freshTopic();
      await using subscriber = await stage.startGo('subscriber', '--topic', topic);
      await sleep(100);
      const { client } = await stage.tsClient();
      await client.publish(topic, { text: '<é> 日本' }, { metadata: { foo: 'bar' } });
      const event = await eventually('the event', () => eventsOf(subscriber.lines)[0]);
      assert.deepEqual(JSON.parse(event.body), { text: '<é> 日本' });
      const { 'Content-Type': type, 'Micro-Topic': named, [stage.generation.idHeader]: id } = event.header ?? {};
      assert.deepEqual([type, named, event.topic], ['application/json', topic, topic]);
      assert.ok(id !== undefined && event.header?.foo === 'bar', JSON.stringify(event.header));
    },
  },
  {
    id: 'ts-to-go-service',
    title: 'an event of a TypeScript client is handled by the subscriber of a Go service',
    direction,
    run: async (stage) => {
      await using alone = await stage.startGo('server', '--name', 'go.listener');
      const { client } = await stage.tsClient();
      await eventually('the text, said by the Go service', async () => {
        await client.publish('greeter.say', { text: 'from TypeScript' });
        await sleep(100);
        return alone.lines.some(({ event, text }) => event === 'say' && text === 'from TypeScript');
      });
    },
  },
  {
    id: 'go-to-ts',
    title: 'an event of a Go client reaches a TypeScript subscriber, with its headers',
    direction,
    run: async (stage) => {
      const topic = freshTopic();
      const { broker } = await stage.tsClient();
      const events: BrokerEvent[] = [];
      await using _subscriber = await broker.subscribe(topic, (event) => void events.push(event));
      const client = await stage.goClient();
      await client.command({ op: 'publish', topic, body: { text: '<é> 日本' }, metadata: { Foo: 'bar' } });
      const { message, topic: named } = await eventually('the event', () => events[0]);
      assert.deepEqual(JSON.parse(Buffer.from(message.body).toString()), { text: '<é> 日本' });
      assert.equal(named, topic);
      assert.equal(message.headers['Micro-Topic'], topic);
      assert.equal(message.headers.Foo, 'bar');
    },
  },
  {
    id: 'handler-to-ts',
    title: 'what a Go handler publishes reaches a TypeScript subscriber',
    direction,
    run: async (stage) => {
      await stage.goServer();
      const { broker, client } = await stage.tsClient();
      const names: string[] = [];
      await using _subscriber = await broker.subscribe('greeter.greeted', ({ message }) => {
        names.push(JSON.parse(Buffer.from(message.body).toString()).name);
      });
      await client.call(stage.goService, 'Greeter.Hello', { name: 'event' });
      await eventually('the event', () => names.includes('event'));
    },
  },
  {
    id: 'queue',
    title: 'a queue with a Go and a TypeScript member: each event to exactly one, both get some',
    direction,
    run: async (stage) => {
      const go = await stage.goServer();
      const ts = await stage.tsServer();
      const client = await stage.goClient();
      const prefix = randomUUID();
      const goSaid = (): string[] =>
        go.lines
          .filter(({ event, text }) => event === 'say' && String(text).startsWith(prefix))
          .map(({ text }) => String(text));
      const tsSaid = (): string[] => ts.said.filter((text) => text.startsWith(prefix));
      const texts = Array.from({ length: 200 }, (_, n) => `${prefix} ${n}`);
      for (const text of texts) await client.command({ op: 'publish', topic: 'greeter.say', body: { text } });
      await eventually('200 events handled', () => goSaid().length + tsSaid().length >= 200);
      await sleep(200);
      assert.deepEqual([...goSaid(), ...tsSaid()].sort(), [...texts].sort());
      assert.ok(goSaid().length > 20 && tsSaid().length > 20, `Go ${goSaid().length}, TypeScript ${tsSaid().length}`);
    },
  },
  {
    id: 'wildcard',
    title: 'wildcard subscriptions of either side see the actual topic',
    direction,
    run: async (stage) => {
      const root = freshTopic();
      await using subscriber = await stage.startGo('subscriber', '--topic', `${root}.*`);
      const { broker, client } = await stage.tsClient();
      const topics: string[] = [];
      await using _subscriber = await broker.subscribe(`${root}.>`, ({ topic }) => void topics.push(topic));
      await sleep(100);
      await client.publish(`${root}.ts`, {});
      const goClient = await stage.goClient();
      await goClient.command({ op: 'publish', topic: `${root}.go`, body: {} });
      await eventually('both events at both sides', () => topics.length >= 2 && eventsOf(subscriber.lines).length >= 2);
      const expected = [`${root}.go`, `${root}.ts`];
      assert.deepEqual([...topics].sort(), expected);
      assert.deepEqual(
        eventsOf(subscriber.lines)
          .map(({ topic }) => topic)
          .sort(),
        expected,
      );
    },
  },
  {
    id: 'raw',
    title: 'raw broker messages, without headers and without a body, both ways',
    direction,
    run: async (stage) => {
      const topic = freshTopic();
      const { broker } = await stage.tsClient();
      const events: BrokerEvent[] = [];
      await using _subscriber = await broker.subscribe(topic, (event) => void events.push(event));
      const client = await stage.goClient();
      const base64 = Buffer.from('hello').toString('base64');
      await client.command({ op: 'publishRaw', topic, base64 });
      await client.command({ op: 'publishRaw', topic, header: { a: '1' }, base64: '' });
      await eventually('two events', () => events.length >= 2);
      assert.deepEqual(
        events.map(({ message }) => [Buffer.from(message.body).toString(), { ...message.headers }]),
        [
          ['hello', {}],
          ['', { a: '1' }],
        ],
      );
      await using subscriber = await stage.startGo('subscriber', '--topic', topic);
      await sleep(100);
      await broker.publish(topic, { headers: {}, body: Buffer.from('from TypeScript') });
      await broker.publish(topic, { headers: { b: '2' }, body: new Uint8Array() });
      await eventually('two events at the Go side', () => eventsOf(subscriber.lines).length >= 2);
      assert.deepEqual(
        eventsOf(subscriber.lines).map(({ header, body }) => [body, header]),
        [
          ['from TypeScript', {}],
          ['', { b: '2' }],
        ],
      );
    },
  },
  {
    id: 'burst',
    title: 'a thousand events in a burst all arrive, ours in their order',
    direction,
    run: async (stage) => {
      const topic = freshTopic();
      const { broker, client } = await stage.tsClient();
      const numbers: number[] = [];
      await using subscription = await broker.subscribe(topic, ({ message }) => {
        numbers.push(JSON.parse(Buffer.from(message.body).toString()).n ?? -1);
      });
      const goClient = await stage.goClient();
      await goClient.command({ op: 'publish', topic, count: 1_000, body: { n: 1 } });
      await eventually('a thousand from Go', () => numbers.length >= 1_000);
      await subscription.close();
      await using subscriber = await stage.startGo('subscriber', '--topic', topic);
      await sleep(100);
      for (let n = 0; n < 1_000; n++) await client.publish(topic, { n });
      await eventually('a thousand at the Go side', () => eventsOf(subscriber.lines).length >= 1_000);
      assert.deepEqual(
        eventsOf(subscriber.lines).map(({ body }) => JSON.parse(body).n),
        Array.from({ length: 1_000 }, (_, n) => n),
      );
    },
  },
];
