import { natsBroker } from '@ts-micro/broker-nats';
import { connectNats, type NatsConnection } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient, createService, type Middleware } from '@ts-micro/service';
import { natsTransport } from '@ts-micro/transport-nats';
import { patienceMs } from '../harness/open-load.ts';
import { heavyAnswer, slowAnswer } from '../harness/report/heavy-answer.ts';
import { answer, checkAnswer, type Sample, sample } from '../harness/report/sample.ts';
import { sendSamples } from '../harness/report/send-samples.ts';
import { type Contender, type ContenderClient, manySubscribers, queueMembers } from './contender.ts';

/** What ts-micro peers speak to each other, and what a broker publishes. */
export interface Wire {
  readonly dialect: 'auto' | 'go';
  readonly broker: 'native' | 'go';
  /** Around every call and handler. @default none */
  readonly middleware?: readonly Middleware[];
  /** Heavy calls take 20 ms of nobody's processor, 16 at once, instead of 1 ms of the server's. @default false */
  readonly isSlow?: boolean;
  /** @default a connection of its own, by `nats` 2.x */
  readonly connect?: (address: string) => Promise<NatsConnection>;
}

/**
 * The whole of ts-micro as the README shows it; events, which are Go Micro's envelopes by default, are native by
 * option.
 */
export const contender: Contender = tsMicro({ dialect: 'auto', broker: 'native' });

const bytes = { contentType: 'application/octet-stream' };

function connectOwn(address: string): Promise<NatsConnection> {
  return connectNats({ servers: address });
}

export function tsMicro({ dialect, broker, middleware = [], isSlow = false, connect = connectOwn }: Wire): Contender {
  const pluginsOn = (connection: NatsConnection) => ({
    dialect,
    middleware,
    transport: natsTransport({ connection, dialect }),
    broker: natsBroker({ connection, dialect: broker }),
    registry: natsRegistry({ connection }),
  });
  return {
    async serve({ address, name }, onEvent) {
      const connection = await connect(address);
      const limits = isSlow ? { maxConcurrency: 16 } : {};
      const service = createService({ name, version: '1.0.0', ...limits, ...pluginsOn(connection) });
      service.handle('Bench.Echo', answer);
      service.handle('Bench.Heavy', isSlow ? slowAnswer : heavyAnswer);
      service.handle('Bench.Bytes', (body: Uint8Array) => body);
      service.handleStream<Sample, { count: number }>('Bench.Count', async (stream) => {
        const request = await stream.receive();
        if (request !== undefined) await sendSamples(request.count, (sample) => stream.send(sample));
      });
      service.handleStream<Sample, Sample>('Bench.Chat', async (stream) => {
        for await (const request of stream) await stream.send(answer(request));
      });
      service.subscribe<Sample>(`${name}.events`, (event) => onEvent(event));
      for (let subscriber = 0; subscriber < manySubscribers; subscriber++)
        service.subscribe<Sample>(`${name}.many`, (event) => onEvent(event, 'many'), { internal: true });
      for (let member = 0; member < queueMembers; member++)
        service.subscribe<Sample>(`${name}.shared`, (event) => onEvent(event, 'shared'), {
          queue: 'members',
          internal: true,
        });
      await service.start();
      return {
        async close() {
          await service.stop();
          await connection.close();
        },
      };
    },

    async connect({ address, name }): Promise<ContenderClient> {
      const connection = await connect(address);
      const client = createClient(pluginsOn(connection));
      return {
        call: (request) => client.call<Sample>(name, 'Bench.Echo', request),
        callHeavy: (request) => client.call<Sample>(name, 'Bench.Heavy', request, { timeoutMs: patienceMs }),
        callBytes: (body) => client.call<Uint8Array>(name, 'Bench.Bytes', body, bytes),
        publish: (event, topic = 'events') => client.publish(`${name}.${topic}`, event),
        async stream(count, onMessage) {
          await using stream = await client.stream<{ count: number }, Sample>(name, 'Bench.Count');
          await stream.send({ count });
          for await (const message of stream) onMessage(message);
        },
        async pingPong(count) {
          await using stream = await client.stream<Sample, Sample>(name, 'Bench.Chat');
          const times: number[] = [];
          for (let serial = 0; serial < count; serial++) {
            const request = sample(serial);
            const beganAtMs = performance.now();
            await stream.send(request);
            const reply = await stream.receive();
            times.push(performance.now() - beganAtMs);
            if (reply === undefined) throw new Error('the stream has ended');
            checkAnswer(request, reply);
          }
          await stream.end();
          return times;
        },
        async close() {
          await client.close();
          await connection.close();
        },
      };
    },
  };
}
