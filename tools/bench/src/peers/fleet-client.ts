import type { Registry } from '@ts-micro/core';
import { connectNats, type NatsConnection } from '@ts-micro/nats';
import { type FleetPlace, openFleetRegistry, type RegistryKind } from '../fleet/fleet-registry.ts';
import { WatchedService } from '../fleet/watched-service.ts';
import { answerCommands } from '../harness/answer-commands.ts';
import { clockMs } from '../harness/clock.ts';
import { cpuMs } from '../harness/cpu-time.ts';
import { summarise } from '../harness/report/statistics.ts';

/** What came of a number of lookups. */
export interface Lookups {
  readonly times: readonly number[];
  readonly incomplete: number;
}

const wholeWithinMs = 60_000;

/** The process that looks up and follows services of a fleet. */
let connection: NatsConnection | undefined;
let kind: RegistryKind = 'go';
let watched: readonly WatchedService[] = [];
let closeWatched = async (): Promise<void> => {};
let following = { cpuMs: 0, atMs: 0 };

answerCommands({
  async connect(place: FleetPlace) {
    kind = place.registry;
    connection = await connectNats({ servers: place.address, name: 'fleet-client' });
  },
  /** Cold lookups, each of another service; resolves with the time of each, and how many did not find every node. */
  async lookups({ services, nodes, count }: { services: number; nodes: number; count: number }): Promise<Lookups> {
    const times: number[] = [];
    let incomplete = 0;
    for (let lookup = 0; lookup < count; lookup++) {
      await using registry = openRegistry();
      const beganAtMs = performance.now();
      const records = await registry.getService(`fleet-${Math.floor((lookup * services) / count)}`);
      times.push(performance.now() - beganAtMs);
      if (records.flatMap((record) => record.nodes).length < nodes) incomplete++;
    }
    return { times, incomplete };
  },
  /** Begins to follow the first services; resolves once no change is missed any more. */
  async watch({ services }: { services: number }) {
    const registry = openRegistry();
    watched = await Promise.all(
      Array.from({ length: services }, async (_, service) => {
        const watched = new WatchedService(await registry.watch({ service: `fleet-${service}` }));
        await watched.next();
        return watched;
      }),
    );
    closeWatched = () => registry.close();
    following = { cpuMs: cpuMs(), atMs: clockMs() };
  },
  /**
   * Waits until every node of what is followed is at `revision` or beyond; resolves with how late each change was seen.
   */
  async seen({ nodes, revision }: { nodes: number; revision: number }) {
    await Promise.all(watched.map((service) => service.reach(nodes, revision)));
    const cpuShare = (cpuMs() - following.cpuMs) / (clockMs() - following.atMs);
    return { ...summarise(watched.flatMap(({ lags }) => lags)), cpuShare };
  },
  /** Begins to follow every service. */
  async followAll() {
    const registry = openRegistry();
    const watcher = await registry.watch();
    const receiving = (async () => {
      for await (const _ of watcher);
    })();
    const before = closeWatched;
    closeWatched = async () => {
      await before();
      await registry.close();
      await receiving;
    };
  },
  /** Asks until every node of every service is found; resolves with how long that took, in milliseconds. */
  async whole({ services, nodes }: { services: number; nodes: number }) {
    const beganAtMs = performance.now();
    await using registry = openRegistry();
    for (;;) {
      const records = await registry.listServices().catch(() => []);
      const found = records.reduce((sum, record) => sum + record.nodes.length, 0);
      const elapsedMs = performance.now() - beganAtMs;
      if (found >= services * nodes) return elapsedMs;
      if (elapsedMs > wholeWithinMs) throw new Error(`only ${found} of ${services * nodes} nodes are found`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  },
  async close() {
    await closeWatched();
    await connection?.close();
  },
});

function openRegistry(): Registry {
  if (connection === undefined) throw new Error('not connected');
  return openFleetRegistry(kind, connection);
}
