import { connect } from '@nats-io/transport-node';
import type { Harness } from '@ts-micro/testkit';
import { type NatsWorld, startNatsWorld } from '@ts-micro/testkit/nats';
import { type NatsBrokerOptions, natsBroker } from '../src/index.ts';

/** Each broker has a connection of its own; on `shared` servers, or on one that is theirs alone. */
export async function owned(options: NatsBrokerOptions = {}, shared?: NatsWorld): Promise<Harness<'broker'>> {
  const nats = shared ?? (await startNatsWorld());
  let count = 0;
  return {
    // Its name keeps it from sharing a connection.
    open: () => natsBroker({ servers: nats.servers, name: `broker ${++count}`, ...options }),
    faults: nats.faults,
    inject: nats.inject,
    count: nats.count,
    async [Symbol.asyncDispose]() {
      if (!shared) await nats[Symbol.asyncDispose]();
    },
  };
}

/**
 * Brokers take turns with two borrowed connections of the client's newer generation, so that most cases cross from one
 * to the other.
 */
export async function borrowed(options: NatsBrokerOptions = {}, shared?: NatsWorld): Promise<Harness<'broker'>> {
  const nats = shared ?? (await startNatsWorld());
  const { kill, restart, partition } = nats.faults;
  // A dial that its server does not survive may end by its timeout alone, which is 20 s unless said.
  const how = { servers: [...nats.servers], maxReconnectAttempts: -1, reconnectTimeWait: 200, timeout: 3000 };
  const connections = [await connect(how), await connect(how)] as const;
  let count = 0;
  return {
    open: () => natsBroker({ ...options, connection: connections[count++ % 2 === 0 ? 0 : 1] }),
    // How soon a borrowed connection finds out that its link is dead is its owner's choice.
    faults: { kill, restart, partition },
    count: nats.count,
    async [Symbol.asyncDispose]() {
      await Promise.all(connections.map((connection) => connection.close()));
      if (!shared) await nats[Symbol.asyncDispose]();
    },
  };
}
