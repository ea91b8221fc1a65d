import { natsBroker } from '@ts-micro/broker-nats';
import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { describe } from 'vitest';
import { type PluginSet, testPair } from './pair.ts';

type Dialect = 'auto' | 'go';

describe.each([
  ['frames', 'auto'],
  ["Go Micro's envelope", 'go'],
] as const)('client and service over NATS in %s', (_, dialect) => {
  testPair(async () => {
    const nats = await startNatsServer();
    const release = async () => nats[Symbol.asyncDispose]();
    return {
      server: await open(nats.url, dialect, release),
      client: await open(nats.url, dialect),
      another: () => open(nats.url, dialect),
    };
  });
});

async function open(
  servers: string,
  dialect: Dialect,
  release: () => Promise<void> = async () => {},
): Promise<PluginSet> {
  const connection = await connectNats({ servers });
  const plugins = {
    transport: natsTransport({ connection, dialect }),
    broker: natsBroker({ connection }),
    registry: natsRegistry({ connection }),
  };
  const close = async () => {
    await Promise.all([plugins.transport.close(), plugins.broker.close(), plugins.registry.close()]);
    await connection.close();
    await release();
  };
  return { ...plugins, [Symbol.asyncDispose]: close };
}
