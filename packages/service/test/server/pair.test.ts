import { memoryBroker, memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import { describe } from 'vitest';
import { testPair } from './pair.ts';

describe('client and service over memory', () => {
  testPair(async () => {
    const network = memoryNetwork();
    const open = () => {
      const transport = memoryTransport({ network });
      const broker = memoryBroker({ network });
      const registry = memoryRegistry({ network });
      const close = async () => {
        await Promise.all([transport.close(), broker.close(), registry.close()]);
      };
      return { transport, broker, registry, [Symbol.asyncDispose]: close };
    };
    return { server: open(), client: open(), another: async () => open() };
  });
});
