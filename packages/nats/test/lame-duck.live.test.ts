import { createConnection } from 'node:net';
import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';

const config = 'lame_duck_duration: "60s"\nlame_duck_grace_period: "50s"';

test('a server in lame duck mode that cannot be flushed is left once it can', { timeout: 40_000 }, async () => {
  await using server = await startNatsServer({ config });
  await using other = await startNatsServer();
  await other.kill();
  const lines: string[] = [];
  const note = (line: string) => void lines.push(line);
  const logger = { debug: note, info: note, warn: note, error: note };
  await using connection = await connectNats({ servers: [server.url, other.url], logger });
  await new Promise<void>((resolve) => {
    const raw = createConnection(server.port, '127.0.0.1');
    let heard = '';
    raw.on('data', (chunk) => {
      const wasAnswered = heard.includes('PONG');
      heard += String(chunk);
      // A client is told only after its first PING was answered.
      if (!wasAnswered && heard.includes('PONG')) server.signal('SIGUSR2');
      if (!heard.includes('"ldm":true')) return;
      raw.destroy();
      resolve();
    });
    raw.write('CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n');
  });
  await connection.flush();
  server.suspend();
  await other.restart();
  await expect.poll(() => lines, { timeout: 10_000 }).toContain('nats server could not be flushed, staying with it');
  expect(connection.state).toMatchObject({ status: 'connected', reconnects: 0 });
  server.resume();
  await expect.poll(() => connection.state, { timeout: 15_000 }).toMatchObject({ status: 'connected', reconnects: 1 });
  expect(connection.address).toBe(other.address);
});
