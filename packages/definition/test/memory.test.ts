import { memoryBroker, memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import { testTyped } from './typed-suite.ts';

testTyped(async () => {
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
});
