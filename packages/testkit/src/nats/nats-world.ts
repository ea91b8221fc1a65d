import { setTimeout as sleep } from 'node:timers/promises';
import { MicroError } from '@ts-micro/core';
import type { Faults } from '../backend.ts';
import { type ChaosProxy, startChaosProxy } from '../server/chaos-proxy.ts';
import { startNatsCluster } from './nats-cluster.ts';
import { type NatsServer, type NatsServerCounts, startNatsServer } from './nats-server.ts';
import { publishRaw } from './publish-raw.ts';

export interface NatsWorldOptions {
  /** How many servers; from two up they are a cluster. @default 1 */
  readonly size?: number | undefined;
  /** More configuration for each server, in nats-server's own language. @default '' */
  readonly config?: string | undefined;
  /**
   * The effect of `kill()` on a cluster: `together` kills all nodes, and nothing is in reach; `inTurn` kills one after
   * the other, each once the last one is back, so that every client loses its node, some several times, and always
   * finds another. @default 'together'
   */
  readonly kill?: 'together' | 'inTurn' | undefined;
  /** The servers have JetStream. @default false */
  readonly jetstream?: boolean | undefined;
}

/**
 * Throwaway servers and a proxy in front of each, which are all that clients learn of: what a contract run over NATS
 * needs.
 */
export interface NatsWorld extends AsyncDisposable {
  /** The proxies, as `host:port`. */
  readonly servers: readonly string[];
  readonly faults: Required<Faults>;
  /** Kills all servers and starts them again without their stores. */
  loseData(): Promise<void>;
  /** Publishes bytes on a subject, past every client library. */
  inject(bytes: Uint8Array, subject: string): Promise<void>;
  /** Over all servers. */
  count(): Promise<NatsServerCounts>;
}

/** Starts a server or a cluster, and the proxies. Throws `invalid` for a bad `size`, and as `startNatsServer` does. */
export async function startNatsWorld(options: NatsWorldOptions = {}): Promise<NatsWorld> {
  const { size = 1, config, kill = 'together', jetstream } = options;
  if (kill !== 'together' && kill !== 'inTurn') {
    throw new MicroError('invalid', `nats world: kill must be together or inTurn, not "${String(kill)}"`);
  }
  const { nodes, formed, dispose } = await start({ size, config, jetstream });
  const proxies = await Promise.all(nodes.map((node) => startChaosProxy({ target: node.address })));
  return {
    servers: proxies.map((proxy) => proxy.address),
    faults: {
      async kill() {
        if (kill === 'together') return void (await Promise.all(nodes.map((node) => node.kill())));
        for (const node of nodes) {
          await restart(nodes);
          await formed();
          await node.kill();
        }
      },
      async restart() {
        await restart(nodes);
        await formed();
      },
      async partition(ms) {
        for (const proxy of proxies) proxy.cut();
        await sleep(ms);
        for (const proxy of proxies) proxy.heal();
      },
      async halfOpen() {
        for (const proxy of proxies) proxy.silence();
      },
    },
    async loseData() {
      await Promise.all(nodes.map((node) => node.kill()));
      await Promise.all(nodes.map((node) => node.restart({ keepData: false })));
      await formed();
    },
    async inject(bytes, place) {
      const [node] = nodes;
      if (node) await publishRaw(node.port, place, bytes);
    },
    async count() {
      const counts = await Promise.all(nodes.map((node) => node.counts()));
      return {
        connections: counts.reduce((sum, { connections }) => sum + connections, 0),
        subscriptions: counts.reduce((sum, { subscriptions }) => sum + subscriptions, 0),
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(proxies.map((proxy: ChaosProxy) => proxy[Symbol.asyncDispose]()));
      await dispose();
    },
  };
}

async function start({ size, config, jetstream }: NatsWorldOptions & { readonly size: number }) {
  if (size === 1) {
    const server = await startNatsServer({ config, jetstream });
    return { nodes: [server], formed: async () => {}, dispose: () => server[Symbol.asyncDispose]() };
  }
  const cluster = await startNatsCluster({ size, config, jetstream, isAdvertised: false });
  return { nodes: cluster.nodes, formed: () => cluster.formed(), dispose: () => cluster[Symbol.asyncDispose]() };
}

async function restart(nodes: readonly NatsServer[]): Promise<void> {
  await Promise.all(nodes.map((node) => (node.isRunning ? undefined : node.restart())));
}
