import { type Registry, type ServiceRecord, serviceRecord } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { type FleetPlace, openFleetRegistry } from '../fleet/fleet-registry.ts';
import { answerCommands } from '../harness/answer-commands.ts';
import { clockMs } from '../harness/clock.ts';

interface Place extends FleetPlace {
  /** Of the process among those of the fleet. */
  readonly index: number;
  readonly services: number;
}

// So long that no lease is renewed during the measurement.
const lease = { ttlMs: 600_000 };

/** One process of a fleet: a node of every service, registered from one registry. */
let registry: Registry | undefined;
/** What is registered last, by service. */
const records = new Map<number, ServiceRecord>();
let close = async (): Promise<void> => {};
let index = 0;

answerCommands({
  async register(place: Place) {
    const connection = await connectNats({ servers: place.address, name: `fleet-${place.index}` });
    const opened = openFleetRegistry(place.registry, connection);
    registry = opened;
    index = place.index;
    close = async () => {
      await opened.close();
      await connection.close();
    };
    const beganAtMs = performance.now();
    await Promise.all(
      Array.from({ length: place.services }, (_, service) => opened.register(record(service, 0), lease)),
    );
    return performance.now() - beganAtMs;
  },
  /** Changes its nodes of the first services, one after the other, at that pace. */
  async change({ services, changes, perSecond }: { services: number; changes: number; perSecond: number }) {
    const beganAtMs = clockMs();
    for (let change = 0; change < changes; change++) {
      await untilMs(beganAtMs + (change * 1000) / perSecond);
      await registry?.register(record(change % services, change + 1), lease);
    }
  },
  /** One heartbeat of each of its nodes. */
  async renew() {
    for (const known of records.values()) await registry?.register(known, lease);
  },
  close: () => close(),
});

function record(service: number, revision: number): ServiceRecord {
  const metadata = { protocol: 'mucp', revision: String(revision), changedAtMs: String(clockMs()) };
  const made = serviceRecord({
    name: `fleet-${service}`,
    version: '1.0.0',
    endpoints: [{ name: 'Bench.Echo' }],
    nodes: [{ id: `fleet-${service}-${index}`, address: `fleet.${service}.${index}`, metadata }],
  });
  records.set(service, made);
  return made;
}

function untilMs(atMs: number): Promise<void> {
  const remainingMs = atMs - clockMs();
  return remainingMs <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, remainingMs));
}
