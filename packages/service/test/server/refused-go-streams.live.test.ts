import type { Socket } from '@ts-micro/core';
import { memoryRegistry } from '@ts-micro/memory';
import { connectNats, encodeEnvelope } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { expect, it, vi } from 'vitest';
import { createService, type ServiceOptions } from '../../src/index.ts';
import { request, until } from './fixture.ts';

/** A service on NATS that knows its sockets, and Go Micro peers, each with a reply subject of its own. */
async function startWatched(options: Partial<ServiceOptions>) {
  const nats = await startNatsServer();
  const connection = await connectNats({ servers: nats.url });
  const go = await connectNats({ servers: nats.url });
  const transport = natsTransport({ connection });
  const sockets = new Set<Socket>();
  const listen = transport.listen.bind(transport);
  vi.spyOn(transport, 'listen').mockImplementation(async (...how) => {
    const listener = await listen(...how);
    const accept = listener.accept.bind(listener);
    listener.accept = (handler, ...more) =>
      accept(
        (socket) => {
          sockets.add(socket);
          void socket.closed.then(() => sockets.delete(socket));
          return handler(socket);
        },
        ...more,
      );
    return listener;
  });
  const service = createService({
    name: 'greeter',
    transport,
    registry: memoryRegistry(),
    stopTimeoutMs: 50,
    ...options,
  });
  service.handle('Greeter.Hello', (number: number) => number);
  service.handleStream('Greeter.Wait', async (stream) => {
    while ((await stream.receive()) !== undefined);
  });
  await service.start();
  const errors: string[] = [];
  const subscription = go.subscribe('_INBOX.go.>', {
    onMessage: ({ data }) => void errors.push(JSON.parse(Buffer.from(data).toString()).Header['Micro-Error'] ?? 'none'),
  });
  await subscription.confirm();
  return {
    service,
    sockets,
    /** The errors of the answers, in the order in which they came. */
    errors,
    ask(peer: number, endpoint: string, headers: Record<string, string> = {}) {
      const bytes = encodeEnvelope(request(endpoint, peer, headers));
      go.publish(service.node?.address ?? '', bytes, { reply: `_INBOX.go.${peer}.x` });
    },
    async [Symbol.asyncDispose]() {
      await service.stop();
      await Promise.all([connection.close(), go.close()]);
      await nats[Symbol.asyncDispose]();
    },
  };
}

const opener = { 'Micro-Stream': '1' };

it('Go streams that find no place, or no handler, leave no socket once they could be told', async () => {
  await using at = await startWatched({ maxConcurrency: 1 });
  at.ask(0, 'Greeter.Wait', opener);
  await until('it runs', () => at.service.health().running === 1);
  for (let peer = 1; peer <= 50; peer++) at.ask(peer, peer % 2 === 0 ? 'Greeter.Wait' : 'Greeter.Nothing', opener);
  await until('all are told', () => at.errors.length === 50);
  expect(at.errors).not.toContain('none');
  expect(at.errors.filter((error) => error.includes('503'))).toHaveLength(25);
  await until('one socket is left', () => at.sockets.size === 1);
  expect(at.service.health().running).toBe(1);
  // Late ends leave nothing either.
  for (let peer = 1; peer <= 50; peer++) at.ask(peer, 'Greeter.Wait', { ...opener, 'Micro-Error': 'EOS' });
  at.ask(99, 'Greeter.Hello');
  await until('what came before it was read', () => at.errors.length === 51);
  await until('only the two that were served are left', () => at.sockets.size === 2);
});

it('a Go peer whose stream was refused is answered what else it asks, and keeps its socket', async () => {
  await using at = await startWatched({ maxConcurrency: 1 });
  at.ask(0, 'Greeter.Wait', opener);
  await until('it runs', () => at.service.health().running === 1);
  at.ask(1, 'Greeter.Wait', opener);
  at.ask(1, 'Greeter.Hello', { 'Micro-ID': '2' });
  at.ask(2, 'Greeter.Wait', opener);
  await until('all are told', () => at.errors.length === 3);
  expect(at.errors.filter((error) => error === 'none')).toHaveLength(1);
  await until('the socket that asked nothing else is gone', () => at.sockets.size === 2);
  expect([...at.sockets].map(({ remote }) => remote)).toEqual(['_INBOX.go.0.x', '_INBOX.go.1.x']);
});
