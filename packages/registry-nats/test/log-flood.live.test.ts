import type { LogFields, Logger } from '@ts-micro/core';
import { silentLogger } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { natsRegistry } from '../src/index.ts';
import { families } from './go-peer.ts';

test('malformed messages, however many, are a line or two in the log, which count them and hold nothing of them', async () => {
  await using server = await startNatsServer();
  const lines: [message: string, fields: LogFields | undefined][] = [];
  const debug: Logger['debug'] = (message, fields) => void lines.push([message, fields]);
  await using registry = natsRegistry({ servers: server.url, logger: { ...silentLogger, debug } });
  await using stranger = await connectNats({ servers: server.url, name: 'stranger' });
  await registry.register({ name: 'greeter', version: '1', metadata: {}, endpoints: [], nodes: [] });
  await using watcher = await registry.watch();
  await watcher.receive({ signal: AbortSignal.timeout(10_000) });
  const many = 500;
  const payload = new TextEncoder().encode('{"swordfish');
  for (let count = 0; count < many; count++) {
    for (const { query, watch } of Object.values(families)) {
      stranger.publish(query, payload);
      stranger.publish(watch, payload);
    }
  }
  await stranger.flush();
  // Who answers a question that came after them has taken them in; until then a lookup may find nobody in its time.
  await expect.poll(async () => (await registry.getService('greeter')).length).toBe(1);
  await registry.close();
  const malformed = lines.filter(([message]) => message === 'malformed message ignored');
  const told = malformed.reduce((sum, [, fields]) => sum + 1 + Number(fields?.leftOut ?? 0), 0);
  expect(told).toBe(4 * many);
  expect(malformed.length).toBeLessThan(30);
  expect(JSON.stringify(lines.map(([message, fields]) => [message, fields, String(fields?.error)]))).not.toContain(
    'swordfish',
  );
});
