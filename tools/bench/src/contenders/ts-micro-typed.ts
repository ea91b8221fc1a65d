import { natsBroker } from '@ts-micro/broker-nats';
import { defineService, implement, type Schema, typedClient, unary, unchecked } from '@ts-micro/definition';
import { connectNats, type NatsConnection } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient, createService } from '@ts-micro/service';
import { natsTransport } from '@ts-micro/transport-nats';
import { answer, type Sample } from '../harness/report/sample.ts';
import type { Contender } from './contender.ts';

/** ts-micro by a definition whose schemas check nothing: what being typed costs by itself. */
export const contender: Contender = tsMicroTyped(unchecked<Sample>());

/** Unary calls by a definition that checks samples with `schema` at both ends, requests and responses. */
export function tsMicroTyped(schema: Schema<Sample>): Contender {
  const definition = defineService({
    name: 'bench',
    endpoints: { 'Bench.Echo': unary({ request: schema, response: schema }) },
  });
  const pluginsOn = (connection: NatsConnection) => ({
    transport: natsTransport({ connection }),
    broker: natsBroker({ connection }),
    registry: natsRegistry({ connection }),
  });
  return {
    async serve({ address, name }) {
      const connection = await connectNats({ servers: address });
      const service = createService({ name, version: '1.0.0', ...pluginsOn(connection) });
      implement(service, definition, { 'Bench.Echo': answer });
      await service.start();
      return {
        async close() {
          await service.stop();
          await connection.close();
        },
      };
    },

    async connect({ address, name }) {
      const connection = await connectNats({ servers: address });
      const client = createClient(pluginsOn(connection));
      const { Bench } = typedClient(client, definition, { service: name });
      return {
        call: (request) => Bench.Echo(request),
        async close() {
          await client.close();
          await connection.close();
        },
      };
    },
  };
}
