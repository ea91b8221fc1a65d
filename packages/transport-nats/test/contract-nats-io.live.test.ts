import { connect } from '@nats-io/transport-node';
import { natsFaults, startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { testTransport } from '@ts-micro/testkit/vitest';
import { natsTransport } from '../src/index.ts';

// The same contract on borrowed connections of the client's newer generation. Instances take turns with two, so that most cases cross from one to the other.
for (const dialect of ['auto', 'go'] as const) {
  testTransport({
    name: `nats transport on @nats-io 3.x, dialect ${dialect}`,
    async create() {
      const server = await startNatsServer();
      const proxy = await startChaosProxy({ target: server.address });
      const options = { servers: proxy.address, maxReconnectAttempts: -1, reconnectTimeWait: 200 };
      const connections = [await connect(options), await connect(options)] as const;
      let count = 0;
      return {
        open: () => natsTransport({ dialect, connection: connections[count++ % 2 === 0 ? 0 : 1] }),
        faults: natsFaults(server, proxy),
        count: () => server.counts(),
        async [Symbol.asyncDispose]() {
          await Promise.all(connections.map((connection) => connection.close()));
          await proxy[Symbol.asyncDispose]();
          await server[Symbol.asyncDispose]();
        },
      };
    },
  });
}
