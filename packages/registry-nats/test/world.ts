import type { Harness } from '@ts-micro/testkit';
import { natsFaults, startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { type NatsRegistryOptions, natsRegistry } from '../src/index.ts';

/** A server of its own behind a proxy that can cut it off; each registry has a connection of its own to it. */
export async function world(options: NatsRegistryOptions = {}): Promise<Harness<'registry'>> {
  const server = await startNatsServer();
  const proxy = await startChaosProxy({ target: server.address });
  let count = 0;
  return {
    // Its name keeps it from sharing a connection.
    open: () => natsRegistry({ servers: proxy.url, name: `registry ${++count}`, ...options }),
    faults: natsFaults(server, proxy),
    count: () => server.counts(),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
