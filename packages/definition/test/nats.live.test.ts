import { natsBroker } from '@ts-micro/broker-nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { testTyped } from './typed-suite.ts';

testTyped(async (dialect) => {
  const server = await startNatsServer();
  const options = { servers: server.address };
  const transport = natsTransport({ ...options, dialect });
  const broker = natsBroker(options);
  const registry = natsRegistry(options);
  return {
    transport,
    broker,
    registry,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([transport.close(), broker.close(), registry.close()]);
      await server[Symbol.asyncDispose]();
    },
  };
});
