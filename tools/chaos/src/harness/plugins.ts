import { type NatsBroker, natsBroker } from '@ts-micro/broker-nats';
import type { Logger, Registry, Transport } from '@ts-micro/core';
import { connectNats, type NatsConnection, type NatsOptions } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { natsTransport } from '@ts-micro/transport-nats';

export interface PluginSettings {
  readonly logger?: Logger | undefined;
  /** What the connection needs beyond servers and a name: a user, TLS. */
  readonly connect?: Pick<NatsOptions, 'user' | 'password' | 'tls'> | undefined;
  /** Of the transport. */
  readonly idleTimeoutMs?: number | undefined;
  /** Of the broker. */
  readonly maxPendingMessages?: number | undefined;
  /** What waits unread in the transport, and in each subscription. */
  readonly boundBytes?: number | undefined;
}

/** A connection and the three plugins on it. */
export interface Plugins extends AsyncDisposable {
  readonly connection: NatsConnection;
  readonly transport: Transport;
  readonly broker: NatsBroker;
  readonly registry: Registry;
}

export async function connectPlugins(
  servers: string,
  name: string,
  { logger, connect, idleTimeoutMs, maxPendingMessages, boundBytes }: PluginSettings = {},
): Promise<Plugins> {
  const connection = await connectNats({ servers, name, logger, ...connect });
  const transport = natsTransport({ connection, logger, idleTimeoutMs, maxReassemblyBytes: boundBytes });
  const broker = natsBroker({ connection, logger, maxPendingMessages, maxPendingBytes: boundBytes });
  const registry = natsRegistry({ connection, logger });
  return {
    connection,
    transport,
    broker,
    registry,
    async [Symbol.asyncDispose]() {
      await Promise.all([transport.close(), broker.close(), registry.close()]);
      await connection.close();
    },
  };
}
