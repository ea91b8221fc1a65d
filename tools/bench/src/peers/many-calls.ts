import { natsBroker } from '@ts-micro/broker-nats';
import { connectNats, type NatsConnection } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { type Client, createClient } from '@ts-micro/service';
import { natsTransport } from '@ts-micro/transport-nats';
import { answerCommands } from '../harness/answer-commands.ts';
import { Caller } from '../harness/caller.ts';
import type { Sample } from '../harness/report/sample.ts';

/** The process of one client that calls many services in turn. */
let connection: NatsConnection | undefined;
let client: Client | undefined;

answerCommands({
  async connect({ address }: { address: string }) {
    connection = await connectNats({ servers: address });
    client = createClient({
      transport: natsTransport({ connection }),
      broker: natsBroker({ connection }),
      registry: natsRegistry({ connection }),
    });
  },
  calls({ names, inFlight, calls }: { names: readonly string[]; inFlight: number; calls: number }) {
    const caller = client;
    if (caller === undefined) throw new Error('not connected');
    let turn = 0;
    const inTurn = {
      call: (request: Sample) => caller.call<Sample>(names[turn++ % names.length] as string, 'Bench.Echo', request),
      close: async () => {},
    };
    return new Caller(inTurn, { inFlight, calls }).run();
  },
  async close() {
    await client?.close();
    await connection?.close();
  },
});
