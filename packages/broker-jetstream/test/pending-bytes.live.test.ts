import { checkRedelivery } from '@ts-micro/kit';
import { connectNats, JetStreamApi } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test, vi } from 'vitest';
import { Consumers } from '../src/consumers.ts';
import { formOf } from '../src/event-form.ts';
import { jetstreamBroker } from '../src/index.ts';
import { checkBrokerOptions } from '../src/jetstream-broker-options.ts';
import { ManagedStreams } from '../src/managed-streams.ts';
import { PendingBytes } from '../src/subscription/pending-bytes.ts';
import { PlainSubscriber } from '../src/subscription/plain-subscriber.ts';
import { QueueMember } from '../src/subscription/queue-member.ts';
import { TopicStreams } from '../src/topic-streams.ts';

const waiting = { timeout: 40_000, interval: 20 };
const limits = { timeout: 90_000 };
const silent = { error() {}, warn() {}, info() {}, debug() {} };

const message = (text: string) => ({ headers: {}, body: new TextEncoder().encode(text) });

/** Remembers the most that was ever held. */
class WatchedBytes extends PendingBytes {
  highest = 0;

  override count(bytes: number): void {
    super.count(bytes);
    this.highest = Math.max(this.highest, this.used);
  }
}

/** Opens once. */
function gate() {
  let open: () => void = () => {};
  const isOpen = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { isOpen, open };
}

/** A server with JetStream, a broker that publishes, and subscribers that share what they may hold. */
async function world() {
  const server = await startNatsServer({ jetstream: true });
  const publisher = jetstreamBroker({ servers: server.address });
  const connection = await connectNats({ servers: server.address });
  const api = new JetStreamApi({ connection, what: 'test', timeoutMs: 10_000 });
  const streams = new ManagedStreams(api, true);
  const { settings } = checkBrokerOptions({});
  const common = {
    api,
    consumers: new Consumers({ api, streams, manage: true, ackWaitMs: 60_000 }),
    form: formOf('plain'),
    stream: new TopicStreams(settings).of('x'),
    from: 'all',
    forbidden: new Map(),
    closeTimeoutMs: 10_000,
    logger: silent,
  } as const;
  return {
    publisher,
    common,
    async plain(topic: string, pending: PendingBytes, handler: (text: string) => void | Promise<void>) {
      const subscriber = new PlainSubscriber({
        ...common,
        topic,
        pending,
        maxPendingMessages: 1024,
        handler: ({ message: { body } }) => handler(new TextDecoder().decode(body)),
      });
      await subscriber.start({});
      return subscriber;
    },
    async [Symbol.asyncDispose]() {
      api.close();
      await connection.close();
      await publisher.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

test(
  'many plain subscriptions hold no more than is for all of them, lose nothing and do not end one another',
  limits,
  async () => {
    await using at = await world();
    const each = 64 * 1024;
    const messageBytes = 10_000;
    const largeBytes = 600_000;
    const pending = new WatchedBytes(each);
    const texts = Array.from({ length: 20 }, (_, number) => `${number} ${'x'.repeat(messageBytes)}`);
    for (const text of texts) await at.publisher.publish('large', message(text));
    const { isOpen, open } = gate();
    const got = Array.from({ length: 48 }, () => [] as string[]);
    const subscribers = await Promise.all(
      got.map((list, number) =>
        at.plain('large', pending, async (text) => {
          await isOpen;
          list.push(text);
          if (number % 3 === 0) throw new Error('after the last handler as well, all is given back');
        }),
      ),
    );
    await vi.waitFor(() => expect(pending.used).toBeGreaterThanOrEqual(pending.limit), waiting);
    // All is taken, and one that handles what it gets still gets it: what is larger than all that is left as well.
    const others: string[] = [];
    const other = await at.plain('other', pending, (text) => void others.push(text));
    const sent = ['first', 'y'.repeat(largeBytes), ...Array.from({ length: 50 }, (_, number) => `${number}`)];
    for (const text of sent) await at.publisher.publish('other', message(text));
    await vi.waitFor(() => expect(others).toEqual(sent), waiting);
    expect(pending.used).toBeGreaterThanOrEqual(pending.limit);
    open();
    await vi.waitFor(() => expect(got.every((list) => list.length === texts.length)).toBe(true), waiting);
    for (const list of got) expect(list).toEqual(texts);
    // Beside the bound itself: a message for each, and the large one.
    const beyond = got.length * (messageBytes + 100) + largeBytes;
    expect(pending.highest).toBeLessThan(pending.limit + beyond);
    await vi.waitFor(() => expect(pending.used).toBe(0), waiting);
    for (const subscriber of [...subscribers, other]) await subscriber.close();
    expect(pending.used).toBe(0);
  },
);

test('a plain subscription that is closed, or whose connection is, gives back what it held', limits, async () => {
  await using at = await world();
  const pending = new PendingBytes(64 * 1024);
  for (let number = 0; number < 10; number++) await at.publisher.publish('large', message('x'.repeat(10_000)));
  const { isOpen, open } = gate();
  const [first, second] = [
    await at.plain('large', pending, () => isOpen),
    await at.plain('large', pending, () => isOpen),
  ];
  await vi.waitFor(() => expect(pending.used).toBeGreaterThan(100_000), waiting);
  const signal = AbortSignal.abort();
  await first.close({ signal }).catch(() => {});
  await vi.waitFor(() => expect(pending.used).toBeLessThan(90_000), waiting);
  open();
  await at.common.api.connection.close();
  await second.closed;
  await vi.waitFor(() => expect(pending.used).toBe(0), waiting);
});

test(
  'many members of queues take no more by `prefetch` than is for all of them, and each message once',
  limits,
  async () => {
    await using at = await world();
    const pending = new WatchedBytes(2 * 1024 * 1024);
    const members = 16;
    const size = 500_000;
    const { isOpen, open } = gate();
    const got = Array.from({ length: members }, () => [] as string[]);
    const subscribers = await Promise.all(
      got.map(async (list, number) => {
        const member = new QueueMember({
          ...at.common,
          topic: 'jobs',
          queue: `queue-${number}`,
          concurrency: 1,
          onError: undefined,
          prefetch: 50,
          pending,
          ackWaitMs: 60_000,
          redelivery: checkRedelivery({}, 'test'),
          publishDeadLetter: () => Promise.reject(new Error('nothing fails')),
          handler: async ({ message: { body }, delivery }) => {
            await isOpen;
            list.push(`${new TextDecoder().decode(body.subarray(0, 2))} ${delivery}`);
          },
        });
        await member.start({});
        return member;
      }),
    );
    for (let number = 10; number < 22; number++)
      await at.publisher.publish('jobs', message(`${number}${'x'.repeat(size)}`));
    // Each has what is in its handler, and what fits into its part of 1 MiB.
    await vi.waitFor(() => expect(subscribers.every(({ held }) => held.size > 1)).toBe(true), waiting);
    open();
    const all = Array.from({ length: 12 }, (_, number) => `${number + 10} 1`);
    await vi.waitFor(() => expect(got.every((list) => list.length >= all.length)).toBe(true), waiting);
    for (const list of got) expect(list).toEqual(all);
    const handled = members * 1024 * 1024;
    expect(pending.highest).toBeLessThanOrEqual(pending.limit + handled);
    await vi.waitFor(() => expect(pending.used).toBe(0), waiting);
    for (const subscriber of subscribers) await subscriber.close();
  },
);
