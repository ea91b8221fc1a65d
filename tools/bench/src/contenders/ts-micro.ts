import { natsBroker } from '@ts-micro/broker-nats';
import { connectNats, type NatsConnection } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient, createService, type Middleware } from '@ts-micro/service';
import { natsTransport } from '@ts-micro/transport-nats';
import { patienceMs } from '../harness/open-load.ts';
import { heavyAnswer } from '../harness/report/heavy-answer.ts';
import { answer, type Sample } from '../harness/report/sample.ts';
import { sendSamples } from '../harness/report/send-samples.ts';
import type { Contender, ContenderClient } from './contender.ts';

/** What ts-micro peers speak to each other, and what a broker publishes. */
export interface Wire {
  readonly dialect: 'auto' | 'go';
  readonly broker: 'native' | 'go';
  /** Around every call and handler. @default none */
  readonly middleware?: readonly Middleware[];
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

export function tsMicro({ dialect, broker, middleware = [], connect = connectOwn }: Wire): Contender {
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
      const service = createService({ name, version: '1.0.0', ...pluginsOn(connection) });
      service.handle('Bench.Echo', answer);
      service.handle('Bench.Heavy', heavyAnswer);
      service.handle('Bench.Bytes', (body: Uint8Array) => body);
      service.handleStream<Sample, { count: number }>('Bench.Count', async (stream) => {
        const request = await stream.receive();
        if (request !== undefined) await sendSamples(request.count, (sample) => stream.send(sample));
      });
      service.subscribe<Sample>(`${name}.events`, onEvent);
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
        publish: (event) => client.publish(`${name}.events`, event),
        async stream(count, onMessage) {
          await using stream = await client.stream<{ count: number }, Sample>(name, 'Bench.Count');
          await stream.send({ count });
          for await (const message of stream) onMessage(message);
        },
        async close() {
          await client.close();
          await connection.close();
        },
      };
    },
  };
}
