import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { BrokerEvent, Message } from '@ts-micro/core';
import type { Row } from '../../matrix/row.ts';
import type { Stage } from '../../matrix/stage.ts';
import { eventually, sleep } from '../../matrix/wait.ts';
import type { PeerProcess } from '../../peer-process.ts';

const direction = 'events';
const generations = ['plugins'];
const withinMs = 120_000;
const groupMs = 40_000;

interface GoEvent {
  readonly topic: string;
  readonly header: Readonly<Record<string, string>> | null;
  readonly body: string;
}

const freshTopic = (): string => `interop.${randomUUID().slice(0, 8)}`;
const textOf = ({ body }: Message): string => Buffer.from(body).toString();
const messageOf = (text: string, headers = {}): Message => ({ headers, body: Buffer.from(text) });
const eventsAt = (go: PeerProcess): GoEvent[] =>
  go.lines.filter(({ event }) => event === 'message').map(({ message }) => message as GoEvent);

/** A Go subscriber says that it is ready before its group has agreed: what is published until then is not for it. */
async function startSubscriber(stage: Stage, topic: string, queue = '', env = {}): Promise<PeerProcess> {
  const go = await stage.startGoWith(env, 'subscriber', '--topic', topic, '--queue', queue);
  const { broker } = await stage.tsClient();
  await probing(
    () => broker.publish(topic, messageOf('"probe"')),
    () => eventsAt(go).length > 0,
  );
  return go;
}

/** Publishes until it was seen. */
async function probing(publish: () => Promise<unknown>, isSeen: () => boolean): Promise<void> {
  const look = async () => {
    if (isSeen()) return true;
    await publish();
    await sleep(100);
    return isSeen();
  };
  await eventually('a probe at the subscriber', look, groupMs);
}

/** Events over Kafka, with Go Micro's own plugin. */
export const kafkaRows: readonly Row[] = [
  {
    id: 'kafka-ts-to-go',
    title: 'over Kafka, events of TypeScript reach a Go subscriber in their order, with headers and bytes',
    ...{ direction, generations, withinMs },
    run: async (stage) => {
      const topic = freshTopic();
      await using go = await startSubscriber(stage, topic);
      const { broker } = await stage.tsClient();
      const texts = Array.from({ length: 200 }, (_, number) => `"<é> 日本 ${number}"`);
      await Promise.all(texts.map((text) => broker.publish(topic, messageOf(text, { Foo: 'bar' }))));
      const meant = () => eventsAt(go).filter(({ header }) => header?.Foo === 'bar');
      await eventually('200 events', () => meant().length >= 200, groupMs);
      assert.deepEqual(
        meant().map(({ body }) => body),
        texts,
      );
      assert.equal(meant()[0]?.topic, topic);
    },
  },
  {
    id: 'kafka-go-to-ts',
    title: 'over Kafka, events of Go reach a TypeScript subscriber, with headers; also without headers and body',
    ...{ direction, generations, withinMs },
    run: async (stage) => {
      const topic = freshTopic();
      const { broker } = await stage.tsClient();
      const events: BrokerEvent[] = [];
      await using _subscriber = await broker.subscribe(topic, (event) => void events.push(event));
      const go = await stage.goClient();
      await go.command({ op: 'publish', topic, count: 200, body: { text: '<é> 日本' }, metadata: { Foo: 'bar' } });
      await eventually('200 events', () => events.length >= 200, groupMs);
      for (const { message } of events) {
        assert.deepEqual(JSON.parse(textOf(message)), { text: '<é> 日本' });
        assert.deepEqual([message.headers.Foo, message.headers['Micro-Topic']], ['bar', topic]);
      }
      assert.equal(events.length, 200);
      await go.command({ op: 'publishRaw', topic, base64: '' });
      const { message } = await eventually('the raw event', () => events[200], groupMs);
      assert.deepEqual([textOf(message), { ...message.headers }], ['', {}]);
    },
  },
  {
    id: 'kafka-queue',
    title: 'over Kafka, a Go and a TypeScript member share a queue: each event to one, and what one leaves goes on',
    ...{ direction, generations, withinMs },
    run: async (stage) => {
      const [topic, queue] = [freshTopic(), `queue-${randomUUID()}`];
      const { broker } = await stage.tsClient();
      const publisher = await stage.goClient();
      const ours: string[] = [];
      const handler = ({ message }: BrokerEvent) => void ours.push(JSON.parse(textOf(message)));
      const subscriber = await broker.subscribe(topic, handler, { queue });
      await using go = await stage.startGo('subscriber', '--topic', topic, '--queue', queue);
      const theirs = () => eventsAt(go).map(({ body }) => JSON.parse(body) as string);
      // Go spreads what it publishes over all partitions.
      const publish = (body: string) => publisher.command({ op: 'publish', topic, body });
      await probing(
        () => publish('probe'),
        () => theirs().length > 0 && ours.length > 0,
      );
      const shared = Array.from({ length: 100 }, (_, number) => `shared ${number}`);
      for (const text of shared) await publish(text);
      const named = (word: string) => [...ours, ...theirs()].filter((text) => text.startsWith(word)).sort();
      await eventually('the shared events', () => named('shared').length >= 100, groupMs);
      assert.deepEqual(named('shared'), [...shared].sort());
      const counts = [ours, theirs()].map((texts) => texts.filter((text) => text.startsWith('shared')).length);
      assert.ok(
        counts.every((count) => count > 0),
        `TypeScript ${counts[0]}, Go ${counts[1]}`,
      );

      await subscriber.close();
      const left = Array.from({ length: 50 }, (_, number) => `left ${number}`);
      for (const text of left) await publish(text);
      await eventually('all at Go', () => new Set(named('left')).size >= 50, groupMs);
      await go.stop();
      const alone = Array.from({ length: 50 }, (_, number) => `alone ${number}`);
      for (const text of alone) await publish(text);
      await using _again = await broker.subscribe(topic, handler, { queue });
      await eventually('all at TypeScript', () => new Set(named('alone')).size >= 50, groupMs);
    },
  },
  {
    // sarama 1.30.1, which the plugin's go.mod names, commits by version 1 of OffsetCommit whatever version of Kafka it
    // is told of, unless a retention is set. Kafka 4 knows versions from 2 on. Seen on the wire:
    //   Go -> Kafka  OffsetCommit v1 (api key 8), a second after the first event
    //   Kafka -> Go  FIN, without an answer; then the same again on another connection, each second
    id: 'kafka-go-as-it-comes',
    title:
      'over Kafka 4, the Go plugin as it comes hands events out, but cannot commit: Kafka hangs up at OffsetCommit v1',
    ...{ direction, generations, withinMs },
    run: async (stage) => {
      const topic = freshTopic();
      await using go = await startSubscriber(stage, topic, `queue-${randomUUID()}`, {
        TS_MICRO_KAFKA_AS_IT_COMES: '1',
      });
      const closed = () => go.log.split('\n').filter((line) => line.includes('Closed connection to broker')).length;
      await eventually('three commits that end a connection', () => closed() >= 3, groupMs);
    },
  },
];
