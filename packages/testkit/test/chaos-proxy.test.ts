import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { startChaosProxy } from '../src/server/chaos-proxy.ts';

test('a link whose client has left is not kept by a silence that comes before its server leaves', async () => {
  const accepted: Socket[] = [];
  // Says its own goodbye when it is told to, as a server may take a while.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket.on('error', () => {}).resume());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await using proxy = await startChaosProxy({ target: `127.0.0.1:${port}` });
  const client = connect(proxy.port, '127.0.0.1').on('error', () => {});
  client.end('bye');
  await expect.poll(() => accepted[0]?.readableEnded).toBe(true);
  expect(proxy.links).toBe(1);
  proxy.silence();
  await expect.poll(() => [proxy.links, client.destroyed]).toEqual([0, true]);
  accepted[0]?.destroy();
  server.close();
});
