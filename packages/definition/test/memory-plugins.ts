import { memoryBroker, memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';

/** Plugins of one network in this process, and what closes them. */
export async function memoryPlugins() {
  const network = memoryNetwork();
  const transport = memoryTransport({ network });
  const broker = memoryBroker({ network });
  const registry = memoryRegistry({ network });
  return {
    transport,
    broker,
    registry,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([transport.close(), broker.close(), registry.close()]);
    },
  };
}
