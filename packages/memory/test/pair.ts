import type { Listener, Message, Socket, Transport } from '@ts-micro/core';
import { type MemoryNetwork, type MemoryTransportOptions, memoryNetwork, memoryTransport } from '@ts-micro/memory';

/** Two transports on a network of their own, and a conversation between them whose handler stays open. */
export interface Pair extends AsyncDisposable {
  readonly network: MemoryNetwork;
  readonly client: Transport;
  readonly server: Transport;
  readonly listener: Listener;
  readonly dialled: Socket;
  readonly accepted: Socket;
}

export async function pair(options: MemoryTransportOptions = {}): Promise<Pair> {
  const network = memoryNetwork();
  const client = memoryTransport({ network, ...options });
  const server = memoryTransport({ network, ...options });
  const listener = await server.listen();
  const accepting = new Promise<Socket>((resolve) => {
    void listener.accept(async (socket) => {
      resolve(socket);
      await socket.closed;
    });
  });
  const dialled = await client.dial(listener.address);
  await dialled.send(text('hello'));
  const accepted = await accepting;
  await accepted.receive();
  return {
    network,
    client,
    server,
    listener,
    dialled,
    accepted,
    async [Symbol.asyncDispose]() {
      await Promise.all([dialled.close(), accepted.close()]);
      await Promise.all([client.close(), server.close()]);
    },
  };
}

export function text(body: string): Message {
  return { headers: {}, body: new TextEncoder().encode(body) };
}

export function textOf(message: Message | undefined): string | undefined {
  return message && new TextDecoder().decode(message.body);
}

/** Receives until the peer has closed. */
export async function textsOf(socket: Socket): Promise<(string | undefined)[]> {
  const texts: (string | undefined)[] = [];
  for await (const message of socket) texts.push(textOf(message));
  return texts;
}

/** Whatever was to happen in the coming turns of the event loop has happened. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
