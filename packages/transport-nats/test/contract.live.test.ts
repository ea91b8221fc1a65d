import type { Transport } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { type ChaosProxy, type NatsServer, startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { testTransport } from '@ts-micro/testkit/vitest';
import { natsTransport } from '@ts-micro/transport-nats';

testTransport({
  name: 'natsTransport',
  async create() {
    const server = await startNatsServer();
    const proxy = await startChaosProxy({ target: server.address });
    return worldOf(server, proxy, () => natsTransport({ servers: proxy.address }));
  },
});

testTransport({
  name: 'natsTransport on a borrowed connection',
  async create() {
    const server = await startNatsServer();
    const proxy = await startChaosProxy({ target: server.address });
    const connection = await connectNats({ servers: proxy.address });
    return worldOf(server, proxy, () => natsTransport({ connection }), connection);
  },
});

for (const dialWithMetadata of [true, false]) {
  testTransport({
    name: `natsTransport in Go Micro's dialect, dialled ${dialWithMetadata ? 'with' : 'without'} metadata`,
    dialWithMetadata,
    async create() {
      const server = await startNatsServer();
      const proxy = await startChaosProxy({ target: server.address });
      return worldOf(server, proxy, () => natsTransport({ servers: proxy.address, dialect: 'go' }));
    },
  });
}

function worldOf(server: NatsServer, proxy: ChaosProxy, open: () => Transport, ...owned: readonly AsyncDisposable[]) {
  return {
    open,
    faults: {
      kill: () => server.kill(),
      restart: () => server.restart(),
      async partition(ms: number): Promise<void> {
        proxy.cut();
        await new Promise((resolve) => setTimeout(resolve, ms));
        proxy.heal();
      },
    },
    async count(): Promise<Record<string, number>> {
      const { connections, subscriptions } = await server.counts();
      return { connections, subscriptions };
    },
    async [Symbol.asyncDispose](): Promise<void> {
      for (const resource of [...owned, proxy, server]) await resource[Symbol.asyncDispose]();
    },
  };
}
