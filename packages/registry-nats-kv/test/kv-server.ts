import { randomUUID } from 'node:crypto';
import { type Registry, type RegistryEvent, type ServiceRecord, serviceRecord, type Watcher } from '@ts-micro/core';
import { connectNats, JetStreamApi } from '@ts-micro/nats';
import { type NatsServer, type NatsServerOptions, startNatsServer } from '@ts-micro/testkit/nats';
import { expect, vi } from 'vitest';
import { type NatsKvRegistryOptions, natsKvRegistry } from '../src/index.ts';

const waiting = { timeout: 30_000, interval: 20 };

export interface KvServer extends AsyncDisposable {
  readonly server: NatsServer;
  /** Another program, with its own connection. */
  readonly api: JetStreamApi;
  /** A registry with a connection of its own; closed with the server. */
  registry(options?: NatsKvRegistryOptions): Registry;
}

/** A server with JetStream, and registries on it. */
export async function startKvServer(options: NatsServerOptions = {}): Promise<KvServer> {
  const server = await startNatsServer({ jetstream: true, ...options });
  const connection = await connectNats({ servers: server.address });
  const api = new JetStreamApi({ connection, what: 'test', timeoutMs: 5000 });
  const registries: Registry[] = [];
  return {
    server,
    api,
    registry(registryOptions = {}) {
      const registry = natsKvRegistry({ servers: server.address, name: randomUUID(), ...registryOptions });
      registries.push(registry);
      return registry;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(registries.map((registry) => registry.close()));
      api.close();
      await connection.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

export function simple(name: string, ...ids: readonly string[]): ServiceRecord {
  return serviceRecord({ name, version: '1', nodes: ids.map((id) => ({ id, address: `at.${id}` })) });
}

/** Waits until a lookup gives these records. */
export async function sees(registry: Registry, name: string, ...records: readonly ServiceRecord[]): Promise<void> {
  await vi.waitFor(async () => expect(await registry.getService(name)).toEqual(records), waiting);
}

export async function eventually(assertion: () => unknown): Promise<void> {
  await vi.waitFor(assertion, waiting);
}

export async function next(watcher: Watcher): Promise<RegistryEvent | undefined> {
  return watcher.receive({ signal: AbortSignal.timeout(30_000) });
}

interface BucketState {
  readonly messages: number;
  readonly last_seq: number;
}

/** What the server says of the bucket. */
export async function bucketOf(
  { api }: Pick<KvServer, 'api'>,
  bucket = 'micro-registry',
): Promise<{ readonly config: Readonly<Record<string, unknown>>; readonly state: BucketState }> {
  return api.request(`STREAM.INFO.KV_${bucket}`);
}
