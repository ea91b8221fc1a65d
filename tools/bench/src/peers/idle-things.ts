import type { Closable, Socket } from '@ts-micro/core';
import { connectNats, type NatsConnection } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient, createService } from '@ts-micro/service';
import { natsTransport } from '@ts-micro/transport-nats';
import { answerCommands } from '../harness/answer-commands.ts';
import { answer, type Sample, sample } from '../harness/report/sample.ts';

/** A process that says how much memory each of many idle things takes. Needs `--expose-gc`. */
let connection: NatsConnection | undefined;
const closing: (() => Promise<unknown>)[] = [];

answerCommands({
  async connect({ address }: { address: string }) {
    connection = await connectNats({ servers: address });
    // Makes what is made once in a process.
    await serve('warm-up');
    await callFrom(1, ['warm-up']);
  },
  /** Services that nobody calls, each with one handler. */
  services: ({ count }: { count: number }) =>
    bytesOfEach(count, async () => {
      for (let service = 0; service < count; service++) await serve(`idle-${service}`);
    }),
  /** Clients that have made one call each. */
  clients: ({ count }: { count: number }) => bytesOfEach(count, () => callFrom(count, ['warm-up'])),
  /** Services that one client has called once, and follows. */
  watched: ({ names }: { names: readonly string[] }) => bytesOfEach(names.length, () => callFrom(1, names)),
  /** Sockets of this process that have had a message each way; what the listening end takes is told by its process. */
  async sockets({ address, count }: { address: string; count: number }) {
    const transport = own(natsTransport({ connection: connected() }));
    const sockets: Socket[] = [];
    const bytes = await bytesOfEach(count, async () => {
      for (let socket = 0; socket < count; socket++) sockets.push(await open(await transport.dial(address)));
    });
    closing.unshift(() => Promise.all(sockets.map((socket) => socket.close())));
    return bytes;
  },
  /** Answers on every socket; resolves with the address. */
  async listen() {
    const listener = await own(natsTransport({ connection: connected() })).listen();
    await listener.accept(async (socket) => {
      for await (const message of socket) await socket.send(message);
    });
    return listener.address;
  },
  /** The memory in use, in bytes. */
  memory: () => memoryInUse(),
  async close() {
    for (const close of closing) await close();
    await connection?.close();
  },
});

async function bytesOfEach(count: number, make: () => Promise<void>): Promise<number> {
  const before = await memoryInUse();
  await make();
  return ((await memoryInUse()) - before) / count;
}

async function memoryInUse(): Promise<number> {
  // Twice, and a turn between them: what ends in a finalizer goes with the second.
  globalThis.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 50));
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function serve(name: string): Promise<void> {
  const service = createService({ name, version: '1.0.0', ...plugins() });
  service.handle('Bench.Echo', answer);
  await service.start();
  closing.unshift(() => service.stop());
}

async function callFrom(clients: number, names: readonly string[]): Promise<void> {
  for (let made = 0; made < clients; made++) {
    const client = own(createClient(plugins()));
    for (const name of names) await client.call<Sample>(name, 'Bench.Echo', sample(0));
  }
}

async function open(socket: Socket): Promise<Socket> {
  await socket.send({ headers: {}, body: new Uint8Array(128) });
  await socket.receive();
  return socket;
}

function plugins() {
  const options = { connection: connected() };
  return { transport: own(natsTransport(options)), registry: own(natsRegistry(options)) };
}

function own<Kind extends Closable>(closable: Kind): Kind {
  closing.push(() => closable.close());
  return closable;
}

function connected(): NatsConnection {
  if (connection === undefined) throw new Error('not connected');
  return connection;
}
