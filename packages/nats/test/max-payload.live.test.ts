import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { thrownBy } from './thrown-by.ts';

const within = { timeout: 15_000 };
const config = (bytes: number) => `max_payload: ${bytes}`;

test('a limit on messages that the server lowers while it runs is followed, and told in its words', async () => {
  await using server = await startNatsServer({ config: config(50_000) });
  const lines: string[] = [];
  const note = (message: string, fields?: Readonly<Record<string, unknown>>) =>
    lines.push(`${message}: ${String(fields?.error)}`);
  const logger = { debug: note, info: note, warn: note, error: note };
  await using connection = await connectNats({ servers: server.url, logger });
  expect(connection.maxPayload).toBe(50_000);
  await server.reload({ config: config(10_000) });
  // The server tells nobody, but ends the connection on who goes beyond it.
  connection.publish('topic', new Uint8Array(20_000));
  await expect.poll(() => connection.state, within).toMatchObject({ status: 'connected', reconnects: 1 });
  expect(connection.maxPayload).toBe(10_000);
  expect(lines.join('\n')).toMatch(/nats disconnected: .*maximum payload violation/i);
  const error = await thrownBy(async () => connection.publish('topic', new Uint8Array(20_000)));
  expect(error).toMatchObject({ code: 'too_large', message: expect.stringContaining('takes 10000') });
});

test('a limit that is raised is known with the next connect', async () => {
  await using server = await startNatsServer({ config: config(10_000) });
  await using connection = await connectNats({ servers: server.url });
  await server.restart({ config: config(50_000) });
  await expect.poll(() => connection.maxPayload, within).toBe(50_000);
  await connection.ready();
  connection.publish('topic', new Uint8Array(40_000));
  await connection.flush();
});
