import { natsBroker } from '@ts-micro/broker-nats';
import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createService } from '@ts-micro/service';
import { natsTransport } from '@ts-micro/transport-nats';
import { answerCommands } from '../harness/answer-commands.ts';
import { answer } from '../harness/report/sample.ts';

/** The process of any number of services of ts-micro. */
const closing: (() => Promise<unknown>)[] = [];

answerCommands({
  /** Starts one service for each name, each on a connection of its own or all on one. */
  async serve({ address, names, isShared }: { address: string; names: readonly string[]; isShared: boolean }) {
    const shared = isShared ? await connect(address) : undefined;
    for (const name of names) {
      const connection = shared ?? (await connect(address));
      const service = createService({
        name,
        version: '1.0.0',
        transport: natsTransport({ connection }),
        broker: natsBroker({ connection }),
        registry: natsRegistry({ connection }),
      });
      service.handle('Bench.Echo', answer);
      await service.start();
      // Before its connection.
      closing.unshift(() => service.stop());
    }
  },
  async close() {
    for (const close of closing) await close();
  },
});

async function connect(address: string) {
  const connection = await connectNats({ servers: address });
  closing.push(() => connection.close());
  return connection;
}
