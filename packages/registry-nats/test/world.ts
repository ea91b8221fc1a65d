import { connect } from '@nats-io/transport-node';
import type { Harness } from '@ts-micro/testkit';
import { type NatsWorld, startNatsWorld } from '@ts-micro/testkit/nats';
import { type NatsRegistryOptions, natsRegistry } from '../src/index.ts';

/** Each registry has a connection of its own; on `shared` servers, or on one that is theirs alone. */
export async function owned(options: NatsRegistryOptions = {}, shared?: NatsWorld): Promise<Harness<'registry'>> {
  const nats = shared ?? (await startNatsWorld());
  let count = 0;
  return {
    // Its name keeps it from sharing a connection.
    open: () => natsRegistry({ servers: nats.servers, name: `registry ${++count}`, ...options }),
    faults: nats.faults,
    loseData: nats.loseData,
    inject: (bytes) => injectEverywhere(nats, bytes),
    count: nats.count,
    async [Symbol.asyncDispose]() {
      if (!shared) await nats[Symbol.asyncDispose]();
    },
  };
}

/**
 * Registries take turns with two borrowed connections of the client's newer generation, so that most cases cross from
 * one to the other.
 */
export async function borrowed(options: NatsRegistryOptions = {}, shared?: NatsWorld): Promise<Harness<'registry'>> {
  const nats = shared ?? (await startNatsWorld());
  const { kill, restart, partition } = nats.faults;
  // A dial that its server does not survive may end by its timeout alone, which is 20 s unless said.
  const how = { servers: [...nats.servers], maxReconnectAttempts: -1, reconnectTimeWait: 200, timeout: 3000 };
  const connections = [await connect(how), await connect(how)] as const;
  let count = 0;
  return {
    open: () => natsRegistry({ ...options, connection: connections[count++ % 2 === 0 ? 0 : 1] }),
    // How soon a borrowed connection finds out that its link is dead is its owner's choice.
    faults: { kill, restart, partition },
    count: nats.count,
    async [Symbol.asyncDispose]() {
      await Promise.all(connections.map((connection) => connection.close()));
      if (!shared) await nats[Symbol.asyncDispose]();
    },
  };
}

/** Puts bytes where registries hear of changes and of questions, in both dialects. */
async function injectEverywhere(nats: NatsWorld, bytes: Uint8Array): Promise<void> {
  for (const family of ['micro.nats', 'micro.registry.nats', 'ts-micro'])
    for (const kind of ['watch', 'query']) await nats.inject(bytes, `${family}.${kind}`);
}
