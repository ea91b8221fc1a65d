import { setTimeout as sleep } from 'node:timers/promises';
import { MicroError } from '@ts-micro/core';
import { freePorts } from '../server/free-ports.ts';
import { type NatsServer, startNatsServer } from './nats-server.ts';

const formedWithinMs = 20_000;
const attempts = 5;

export interface NatsClusterOptions {
  /** How many servers. @default 3 */
  readonly size?: number | undefined;
  /** More configuration for each of them, in nats-server's own language. @default '' */
  readonly config?: string | undefined;
  /**
   * Clients learn of all nodes from the one they connect to; `false` leaves them with what they were given, such as
   * proxies. @default true
   */
  readonly isAdvertised?: boolean | undefined;
  /** Each node has JetStream. @default false */
  readonly jetstream?: boolean | undefined;
}

/** Servers that route to each other. Each can be killed and restarted by itself. */
export interface NatsCluster extends AsyncDisposable {
  readonly nodes: readonly NatsServer[];
  readonly urls: readonly string[];
  /** The list as options and flags take it: `127.0.0.1:1,127.0.0.1:2,127.0.0.1:3`. */
  readonly servers: string;
  /** Waits until each running node has a route to each other one; rejects with `timeout`. */
  formed(): Promise<void>;
}

type ClusterInit = { readonly [N in keyof NatsClusterOptions]-?: NonNullable<NatsClusterOptions[N]> };

/** Starts a cluster and waits until it is formed. Throws as `startNatsServer` does. */
export async function startNatsCluster(options: NatsClusterOptions = {}): Promise<NatsCluster> {
  const { size = 3, config = '', isAdvertised = true, jetstream = false } = options;
  if (!Number.isInteger(size) || size < 2) {
    throw new MicroError('invalid', `nats cluster: size must be a whole number from 2 up, not ${size}`);
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce({ size, config, isAdvertised, jetstream });
    } catch (error) {
      // Routes must be known before the nodes start, so a port can be taken between choosing and using it.
      if (attempt === attempts || !MicroError.is(error, 'conflict')) throw error;
    }
  }
}

async function startOnce({ size, config, isAdvertised, jetstream }: ClusterInit): Promise<NatsCluster> {
  const ports = await freePorts(size);
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(', ');
  const cluster = `name: testkit, routes: [${routes}], no_advertise: ${!isAdvertised}`;
  const starts = await Promise.allSettled(
    ports.map((port) =>
      startNatsServer({ config: `${config}\ncluster { listen: "127.0.0.1:${port}", ${cluster} }\n`, jetstream }),
    ),
  );
  const nodes = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  try {
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
    await formed(nodes);
  } catch (error) {
    await disposeAll(nodes);
    throw error;
  }
  return {
    nodes,
    urls: nodes.map((node) => node.url),
    servers: nodes.map((node) => node.address).join(','),
    formed: () => formed(nodes),
    [Symbol.asyncDispose]: () => disposeAll(nodes),
  };
}

async function formed(nodes: readonly NatsServer[]): Promise<void> {
  const deadline = performance.now() + formedWithinMs;
  const running = nodes.filter((node) => node.isRunning);
  for (const node of running) {
    while ((await peersOf(node)).size < running.length - 1) {
      if (performance.now() > deadline) {
        throw new MicroError('timeout', `nats cluster: ${node.address} has too few routes after ${formedWithinMs} ms`);
      }
      await sleep(20);
    }
  }
}

/** The servers a node has a route to; two routes to one server count once. */
async function peersOf(node: NatsServer): Promise<Set<string>> {
  const { routes } = (await node.monitor('routez')) as { routes: { remote_id: string }[] };
  return new Set(routes.map((route) => route.remote_id));
}

async function disposeAll(nodes: readonly NatsServer[]): Promise<void> {
  await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
}
