import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, onTestFinished, test, vi } from 'vitest';
import { jetstreamBroker } from '../src/index.ts';
import { FileOutbox, publishOutbox } from './outbox.ts';

test('an outbox that dies between publishing and removing stores each event once, in order', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ts-micro-outbox-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'orders');
  await using server = await startNatsServer({ jetstream: true });
  await using broker = jetstreamBroker({ servers: server.address });
  const got: string[] = [];
  const handler = ({ message }: { message: { body: Uint8Array } }) =>
    void got.push(new TextDecoder().decode(message.body));
  await broker.subscribe('orders.paid', handler, { queue: 'billing' });

  const outbox = new FileOutbox(file);
  for (const id of ['1', '2', '3']) {
    await outbox.commit({ order: id, status: 'paid' }, { id: `order-${id}`, topic: 'orders.paid', text: id });
  }
  await appendFile(file, '{"change":{"order":"4"},"ev');
  vi.spyOn(outbox, 'remove').mockRejectedValueOnce(new Error('the process dies here'));
  await expect(publishOutbox(outbox, broker)).rejects.toThrow('dies here');

  await publishOutbox(new FileOutbox(file), broker);
  await broker.publish('orders.paid', { headers: {}, body: new TextEncoder().encode('last') });
  await vi.waitFor(() => expect(got).toContain('last'), { timeout: 20_000 });
  expect(got).toEqual(['1', '2', '3', 'last']);
}, 60_000);
