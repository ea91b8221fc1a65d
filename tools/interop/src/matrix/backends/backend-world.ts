import { kafkaBroker } from '@ts-micro/broker-kafka';
import type { Logger } from '@ts-micro/core';
import { etcdRegistry } from '@ts-micro/registry-etcd';
import type { Server } from '@ts-micro/testkit/server';
import { rabbitmqTransport } from '@ts-micro/transport-rabbitmq';
import { startEtcd, startKafka, startRabbitmq } from '@ts-micro-tools/backends';
import { Resources } from '../resources.ts';
import type { Plugins } from '../ts-peer.ts';

/** A registry, a transport and a broker of which none is NATS, for peers of Go and for ours. */
export class BackendWorld implements AsyncDisposable {
  /** Tells a Go peer where they are. */
  readonly env: Readonly<Record<string, string>>;
  readonly makePlugins: (logger: Logger) => Plugins;
  readonly #servers: Resources;

  /** One after the other, as two cores start no three at once in time. */
  static async start(): Promise<BackendWorld> {
    const servers = new Resources();
    try {
      const etcd = servers.use(await startEtcd());
      const rabbitmq = servers.use(await startRabbitmq());
      // Partitions for two members of a group.
      const kafka = servers.use(await startKafka({ properties: ['num.partitions=4'] }));
      return new BackendWorld(servers, etcd, rabbitmq, kafka);
    } catch (error) {
      await servers[Symbol.asyncDispose]();
      throw error;
    }
  }

  constructor(servers: Resources, etcd: Server, rabbitmq: Server, kafka: Server) {
    this.#servers = servers;
    this.env = { TS_MICRO_ETCD: etcd.address, TS_MICRO_RABBITMQ: rabbitmq.address, TS_MICRO_KAFKA: kafka.address };
    this.makePlugins = (logger) => ({
      registry: etcdRegistry({ servers: etcd.address }),
      transport: rabbitmqTransport({ servers: rabbitmq.address, logger }),
      broker: kafkaBroker({ servers: kafka.address, logger }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]();
  }
}
