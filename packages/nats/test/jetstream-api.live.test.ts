import { connectNats, JetStreamApi } from '@ts-micro/nats';
import { startNatsCluster } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { thrownBy } from './thrown-by.ts';

const stream = { name: 'S', subjects: ['s'], storage: 'file', retention: 'limits', discard: 'old' };

test('what a cluster has too few servers for is asked again, and is `unavailable` when its time is over', {
  timeout: 60_000,
}, async () => {
  await using cluster = await startNatsCluster({ jetstream: true });
  await using connection = await connectNats({ servers: cluster.servers });
  const api = new JetStreamApi({ connection, what: 'test', timeoutMs: 2500 });
  let asked = 0;
  await connection.subscribe('$JS.API.STREAM.CREATE.S', { onMessage: () => void asked++ }).confirm();
  // Before it has a leader the cluster answers nothing.
  const refused = () => thrownBy(() => api.request('STREAM.CREATE.S', { ...stream, num_replicas: 5 }));
  await expect.poll(refused, { timeout: 50_000 }).toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/^test: STREAM\.CREATE\.S: no suitable peers/),
  });
  expect(asked).toBeGreaterThan(1);
  api.close();
});
