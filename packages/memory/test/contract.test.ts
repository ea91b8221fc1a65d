import { memoryBroker, memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import type { Harness, InterfaceName, Interfaces } from '@ts-micro/testkit';
import { testBroker, testRegistry, testTransport } from '@ts-micro/testkit/vitest';

type Options = NonNullable<Parameters<typeof memoryRegistry>[0]>;

/** A network of its own for each case, which can fail. */
function world<I extends InterfaceName>(open: (options: Options) => Interfaces[I]): Harness<I> {
  const network = memoryNetwork();
  return {
    open: () => open({ network }),
    faults: {
      kill: async () => network.partition(),
      restart: async () => network.heal(),
      partition: async (ms) => {
        network.partition();
        await new Promise((resolve) => setTimeout(resolve, ms));
        network.heal();
      },
    },
    // Nothing of it is stored: whoever registered puts it back, and here the network has not forgotten it.
    async loseData() {
      network.partition();
      network.heal();
    },
  };
}

// Small limits, so that what lies beyond them is tested too.
const maxBodyBytes = 1024 * 1024;
const maxQueuedMessages = 2000;

testTransport({
  name: 'memory',
  create: () => world<'transport'>((options) => memoryTransport({ ...options, maxBodyBytes, maxQueuedMessages })),
});
testBroker({
  name: 'memory',
  create: () => world<'broker'>((options) => memoryBroker({ ...options, maxBodyBytes })),
});
testBroker({
  name: 'memory, durable',
  create: () => world<'broker'>((options) => memoryBroker({ ...options, maxBodyBytes, durable: true })),
});
testRegistry({
  name: 'memory',
  create: () => world<'registry'>(memoryRegistry),
});
