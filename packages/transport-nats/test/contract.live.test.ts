import { connectNats } from '@ts-micro/nats';
import { startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { testTransport } from '@ts-micro/testkit/vitest';
import { natsTransport } from '@ts-micro/transport-nats';

testTransport({
  name: 'natsTransport',
  async create() {
    const server = await startNatsServer();
    const proxy = await startChaosProxy({ target: server.address });
    return {
      open: () => natsTransport({ servers: proxy.address }),
      faults: {
        kill: () => server.kill(),
        restart: () => server.restart(),
        async partition(ms) {
          proxy.cut();
          await new Promise((resolve) => setTimeout(resolve, ms));
          proxy.heal();
        },
      },
      async count() {
        const { connections, subscriptions } = await server.counts();
        return { connections, subscriptions };
      },
      async [Symbol.asyncDispose]() {
        await proxy[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
});

testTransport({
  name: 'natsTransport on a borrowed connection',
  async create() {
    const server = await startNatsServer();
    const connection = await connectNats({ servers: server.url });
    return {
      open: () => natsTransport({ connection }),
      async count() {
        await connection.flush();
        const { connections, subscriptions } = await server.counts();
        return { connections, subscriptions };
      },
      async [Symbol.asyncDispose]() {
        await connection.close();
        await server[Symbol.asyncDispose]();
      },
    };
  },
});
