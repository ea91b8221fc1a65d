import type { Harness } from '@ts-micro/testkit';
import { natsFaults, startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { type NatsBrokerOptions, natsBroker } from '../src/index.ts';

/** A server of its own behind a proxy that can cut it off; each broker has a connection of its own to it. */
export async function world(options: NatsBrokerOptions = {}): Promise<Harness<'broker'>> {
  const server = await startNatsServer();
  const proxy = await startChaosProxy({ target: server.address });
  let count = 0;
  return {
    // Its name keeps it from sharing a connection.
    open: () => natsBroker({ servers: proxy.url, name: `broker ${++count}`, ...options }),
    faults: natsFaults(server, proxy),
    count: () => server.counts(),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
