import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { jetstreamBroker } from '../src/index.ts';

test('a server without JetStream is told in words', async () => {
  await using server = await startNatsServer();
  await using broker = jetstreamBroker({ servers: server.address });
  const message = { headers: {}, body: new Uint8Array(0) };
  await expect(broker.publish('orders.placed', message)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('JetStream is not enabled'),
  });
});
