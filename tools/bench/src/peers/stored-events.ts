import { type JetStreamBroker, jetstreamBroker } from '@ts-micro/broker-jetstream';
import { AckPolicy, type Consumer, connect, DeliverPolicy, type NatsConnection, StorageType } from 'nats';
import { answerCommands } from '../harness/answer-commands.ts';
import { cpuMs } from '../harness/cpu-time.ts';
import { checkSample, type Sample, sample } from '../harness/report/sample.ts';

// The process that stores events and takes them again, by the client itself or by the broker: with equal windows, the
// same settings of the durable consumer, and an acknowledgement for each message.
export type StoringContender = 'raw' | 'ts-micro';

interface Storing {
  publish(body: Uint8Array): Promise<unknown>;
  /** Calls back for each message, in order, and acknowledges it; resolves with what ends it. */
  consume(onMessage: (body: Uint8Array) => void): Promise<() => Promise<unknown>>;
}

export interface StoredFigure {
  readonly perSecond: number;
  readonly cpuUs: number;
}

const publishWindow = 500;
const consumeWindow = 1000;
const nanoseconds = 1e6;
const decoder = new TextDecoder();
let storing: Storing | undefined;

async function openRaw(address: string): Promise<Storing> {
  const connection: NatsConnection = await connect({ servers: address });
  const manager = await connection.jetstreamManager();
  await manager.streams.add({ name: 'RAW', subjects: ['raw.events'], storage: StorageType.File });
  await manager.consumers.add('RAW', {
    durable_name: 'bench',
    ack_policy: AckPolicy.Explicit,
    ack_wait: 15_000 * nanoseconds,
    deliver_policy: DeliverPolicy.All,
    filter_subject: 'raw.events',
    max_ack_pending: -1,
  });
  const jetstream = connection.jetstream();
  return {
    publish: (body) => jetstream.publish('raw.events', body),
    async consume(onMessage) {
      // Found each time, as a member of a queue finds it.
      const consumer: Consumer = await jetstream.consumers.get('RAW', 'bench');
      const messages = await consumer.consume({
        max_messages: consumeWindow,
        callback: (message) => {
          onMessage(message.data);
          message.ack();
        },
      });
      return async () => {
        await messages.close();
        // The broker, too, has written its acknowledgements once its subscriber is closed.
        await connection.flush();
      };
    },
  };
}

async function openBroker(address: string): Promise<Storing> {
  const broker: JetStreamBroker = jetstreamBroker({ servers: address, prefetch: consumeWindow - 1 });
  const subscribe = (handler: (body: Uint8Array) => void) =>
    broker.subscribe('events', ({ message }) => handler(message.body), { queue: 'bench' });
  // The queue keeps what is published from now on.
  await (await subscribe(() => {})).close();
  return {
    publish: (body) => broker.publish('events', { headers: {}, body }),
    async consume(onMessage) {
      const subscriber = await subscribe(onMessage);
      return () => subscriber.close();
    },
  };
}

function opened(): Storing {
  if (storing === undefined) throw new Error('it is not open');
  return storing;
}

async function measured(count: number, work: () => Promise<void>): Promise<StoredFigure> {
  const cpuBefore = cpuMs();
  const beganMs = performance.now();
  await work();
  const tookMs = performance.now() - beganMs;
  return { perSecond: (count / tookMs) * 1000, cpuUs: ((cpuMs() - cpuBefore) * 1000) / count };
}

answerCommands({
  async open({ address, name }: { address: string; name: StoringContender }) {
    storing = await (name === 'raw' ? openRaw(address) : openBroker(address));
  },

  publish({ count }: { count: number }): Promise<StoredFigure> {
    const { publish } = opened();
    return measured(count, async () => {
      let next = 0;
      const publisher = async () => {
        while (next < count) await publish(Buffer.from(JSON.stringify(sample(next++))));
      };
      await Promise.all(Array.from({ length: publishWindow }, publisher));
    });
  },

  consume({ count }: { count: number }): Promise<StoredFigure> {
    const { consume } = opened();
    return measured(count, async () => {
      let serial = 0;
      let arrived: () => void = () => {};
      let failed: (error: unknown) => void = () => {};
      const all = new Promise<void>((resolve, reject) => {
        arrived = resolve;
        failed = reject;
      });
      const end = await consume((body) => {
        try {
          checkSample(serial++, JSON.parse(decoder.decode(body)) as Sample);
          if (serial === count) arrived();
        } catch (error) {
          failed(error);
        }
      });
      await all;
      await end();
    });
  },
});
