import type { Broker, Message, Registry, ServiceRecordInit, Socket, Transport } from '@ts-micro/core';
import { serviceRecord } from '@ts-micro/core';
import { type MemoryNetwork, memoryBroker, memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import { expect, vi } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import { createClient } from '../../src/client/create-client.ts';
import type { Candidate, SelectorStrategy } from '../../src/client/discovery/selector.ts';

/** What a bare responder does with a message; what it returns is sent back. */
export type Answer = (
  message: Message,
  socket: Socket,
  node: Node,
) => Message | undefined | Promise<Message | undefined>;

interface NodeOptions {
  readonly service?: string;
  readonly id?: string;
  readonly version?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly endpoints?: readonly string[];
  readonly address?: string;
  readonly answer?: Answer;
}

/** A responder on a raw socket that registers and answers as a Go Micro server does, header for header. */
interface Node {
  readonly id: string;
  readonly address: string;
  readonly record: ServiceRecordInit;
  /** Every message that came in. */
  readonly messages: Message[];
  /** How many sockets are open, and how many there ever were. */
  readonly open: number;
  readonly accepted: number;
  /** Stops listening and says nothing to the registry. */
  kill(): Promise<void>;
  /** Leaves the registry and goes on listening. */
  leave(): Promise<void>;
}

/** A network of its own with one set of plugins. */
export interface World extends AsyncDisposable {
  readonly network: MemoryNetwork;
  readonly transport: Transport;
  readonly broker: Broker;
  readonly registry: Registry;
  client(options?: Partial<ClientOptions>): Client;
  node(options?: NodeOptions): Promise<Node>;
}

/** What node metadata of a Go Micro server on this transport holds. */
export const goMetadata: Readonly<Record<string, string>> = {
  broker: 'memory',
  protocol: 'mucp',
  registry: 'memory',
  server: 'mucp',
  transport: 'memory',
};

let nodes = 0;

export function openWorld(): World {
  const network = memoryNetwork();
  const transport = memoryTransport({ network });
  const broker = memoryBroker({ network });
  const registry = memoryRegistry({ network });
  const owned: AsyncDisposable[] = [];
  return {
    network,
    transport,
    broker,
    registry,
    client: (options) => {
      const client = createClient({ transport, broker, registry, ...options });
      owned.push(client);
      return client;
    },
    node: async (options) => {
      const { node, dispose } = await openNode(network, registry, options ?? {});
      owned.push({ [Symbol.asyncDispose]: dispose });
      return node;
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of owned.reverse()) await one[Symbol.asyncDispose]();
      const signal = AbortSignal.abort();
      await Promise.all([transport, broker, registry].map((plugin) => plugin.close({ signal })));
    },
  };
}

async function openNode(
  network: MemoryNetwork,
  registry: Registry,
  options: NodeOptions,
): Promise<{ node: Node; dispose: () => Promise<void> }> {
  const { service = 'greeter', version = '1.0.0', metadata = goMetadata, endpoints = ['Greeter.Hello'] } = options;
  const answer = options.answer ?? ((message, _socket, node) => goReply(message, { node: node.id }));
  const transport = memoryTransport({ network });
  const listener = await transport.listen(options.address);
  const id = options.id ?? `${service}-${++nodes}`;
  const record: ServiceRecordInit = {
    name: service,
    version,
    endpoints: endpoints.map((name) => ({ name })),
    nodes: [{ id, address: listener.address, metadata }],
  };
  const state = { open: 0, accepted: 0 };
  const node: Node = {
    id,
    address: listener.address,
    record,
    messages: [],
    get open() {
      return state.open;
    },
    get accepted() {
      return state.accepted;
    },
    kill: () => transport.close({ signal: AbortSignal.abort() }),
    leave: () => registry.deregister(serviceRecord(record)),
  };
  await listener.accept(async (socket) => {
    state.open++;
    state.accepted++;
    try {
      for await (const message of socket) {
        node.messages.push(message);
        void Promise.resolve(answer(message, socket, node)).then(
          (reply) => reply && socket.send(reply).catch(() => {}),
        );
      }
    } finally {
      state.open--;
    }
  });
  await registry.register(serviceRecord(record));
  return { node, dispose: () => transport.close({ signal: AbortSignal.abort() }) };
}

/** A success as Go Micro v4.10 and later answers it. */
export function goReply(message: Message, value: unknown): Message {
  const id = message.headers['Micro-ID'] as string;
  const headers = { 'Content-Type': message.headers['Content-Type'] as string, 'Micro-ID': id, 'X-Micro-ID': id };
  return { headers, body: Buffer.from(`${JSON.stringify(value)}\n`) };
}

/** An error as Go Micro answers it: the request's headers echoed, the text twice, no body. */
export function goError(message: Message, text: string): Message {
  return {
    headers: { ...message.headers, 'Micro-Error': text, 'X-Micro-Error': text },
    body: new Uint8Array(0),
  };
}

/** The JSON value of a message's body. */
export function bodyOf(message: Message | undefined): unknown {
  return JSON.parse(Buffer.from(message?.body ?? []).toString('utf8'));
}

/** Answers what `warm` asks and nothing else. */
export const mute: Answer = (message) =>
  message.headers['Micro-Endpoint'] === 'Greeter.Warm' ? goReply(message, 'warm') : never;

/** Lets the client find the service first, so that what a test times is its call alone. */
export async function warm(client: Client): Promise<void> {
  await client.call('greeter', 'Greeter.Warm');
}

/** Chooses the node called `id` wherever there is a choice. */
export function prefer(id: string): SelectorStrategy {
  return (candidates) => candidates.find(({ node }) => node.id === id) ?? (candidates[0] as Candidate);
}

/** A promise that never settles. */
export const never: Promise<never> = new Promise(() => {});

/** The code a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    (value) => `resolved with ${JSON.stringify(value)}`,
    (error) => (error as { code: string }).code,
  );
}

/** Waits until `check` holds. */
export async function until(check: () => boolean, ms: number = 15_000): Promise<void> {
  await vi.waitFor(() => expect(check()).toBe(true), { timeout: ms, interval: 5 });
}
