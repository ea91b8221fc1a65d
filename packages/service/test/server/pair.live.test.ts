import { natsBroker } from '@ts-micro/broker-nats';
import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { describe } from 'vitest';
import { type PluginSet, testPair } from './pair.ts';

describe('client and service over NATS', () => {
  testPair(async () => {
    const nats = await startNatsServer();
    return { server: await open(nats.url, async () => nats[Symbol.asyncDispose]()), client: await open(nats.url) };
  });
});

async function open(servers: string, release: () => Promise<void> = async () => {}): Promise<PluginSet> {
  const connection = await connectNats({ servers });
  const plugins = {
    transport: natsTransport({ connection }),
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
