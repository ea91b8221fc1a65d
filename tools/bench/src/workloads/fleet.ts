import { type NatsServer, startNatsServer } from '@ts-micro/testkit/nats';
import { type RegistryKind, registryKinds, registryTitles } from '../fleet/fleet-registry.ts';
import { PeerGroup } from '../harness/peer-group.ts';
import { PeerProcess } from '../harness/peer-process.ts';
import { type Summary, summarise } from '../harness/report/statistics.ts';
import { numberText, summaryText } from '../harness/report/table.ts';
import { judgeNumber, type Outcome } from '../harness/target.ts';
import type { Lookups } from '../peers/fleet-client.ts';
import type { Bench, Workload } from './workload.ts';

const processes = 3;
const smallFleet = 10;
const changesPerSecond = 100;
const followed = 20;

interface FleetPlan {
  readonly registry: RegistryKind;
  readonly services: number;
  readonly isFollowed: boolean;
}

/** What a fleet of one size costs who looks services up in it. */
interface FleetMeasurement {
  readonly registry: RegistryKind;
  readonly services: number;
  /** How long it took until every node was registered, all at once. */
  readonly registeredMs: number;
  readonly lookupMs: Summary;
  /** Lookups that did not find every node. */
  readonly incomplete: number;
  /** Messages that the server handed to the fleet and to the client for one lookup. */
  readonly toFleet: number;
  readonly toClient: number;
  readonly bytes: number;
  readonly changes?: Following | undefined;
  /** What passes the server for one heartbeat of one node, while one client follows every service. */
  readonly beat: { readonly messages: number; readonly bytes: number };
  /** How long after a restart of the server a client finds every node again. */
  readonly wholeMs: number;
}

interface Following extends Summary {
  readonly cpuShare: number;
}

/** Many services in a few processes: what looking one up costs, and whether changes can be followed. */
export const fleet: Workload = {
  name: 'fleet',
  title: `1,000 services, ${processes} nodes each`,
  async run(bench) {
    const large = bench.settings.isQuick ? 100 : 1000;
    const measured: FleetMeasurement[] = [];
    const { contenders } = bench.settings;
    const chosen = registryKinds.filter((kind) => contenders.includes(kind));
    for (const registry of chosen.length > 0 ? chosen : registryKinds) {
      measured.push(await measureFleet(bench, { registry, services: smallFleet, isFollowed: false }));
      measured.push(await measureFleet(bench, { registry, services: large, isFollowed: true }));
    }
    return {
      tables: [
        {
          head: [
            'registry',
            'services',
            'lookup ms',
            'incomplete',
            'messages to the fleet per lookup',
            'to the client',
            'bytes per lookup',
            'change seen after ms',
            'client CPU while following',
          ],
          rows: measured.map(rowOf),
        },
        {
          head: [
            'registry',
            'services',
            'all registered at once after ms',
            'messages per heartbeat of a node',
            'bytes per heartbeat',
            'all found after a restart of the server, ms',
          ],
          rows: measured.map(upkeepOf),
        },
      ],
      outcomes: outcomesOf(measured.filter(({ registry }) => registry === 'native')),
      notes: [
        'a heartbeat: what the server takes in and hands out, with one client that follows every service',
        `followed: ${changesPerSecond} changes/s spread over ${followed} watched services`,
      ],
    };
  },
};

const row = '1,000 services x 3 nodes, dialect: native';

async function measureFleet(bench: Bench, { registry, services, isFollowed }: FleetPlan): Promise<FleetMeasurement> {
  bench.progress(`fleet: ${registryTitles[registry]}, ${services} services`);
  await using nats = await startNatsServer({ jetstream: registry === 'nats-kv' });
  await using client = PeerProcess.ofNode('fleet-client', 'the client');
  await using group = new PeerGroup(
    Array.from({ length: processes }, (_, index) => PeerProcess.ofNode('fleet-node', `fleet process ${index}`)),
  );
  const place = { address: nats.address, registry };
  const registered = await group.each((node, index) => node.request<number>('register', { ...place, services, index }));
  await client.request('connect', place);

  const count = bench.settings.isQuick ? 10 : 50;
  const lookups = { services, nodes: processes, count };
  await client.request('lookups', lookups);
  const before = await trafficOf(nats);
  const { times, incomplete } = await client.request<Lookups>('lookups', lookups);
  const after = await trafficOf(nats);
  const changes = isFollowed ? await follow(bench, group, client) : undefined;
  const beat = await beatOf(nats, group, client, services * processes);
  await nats.kill();
  await nats.restart();
  const wholeMs = await client.request<number>('whole', { services, nodes: processes });
  return {
    registry,
    services,
    registeredMs: Math.max(...registered),
    beat,
    wholeMs,
    lookupMs: summarise(times),
    incomplete,
    toFleet: (after.toFleet - before.toFleet) / count,
    toClient: (after.toClient - before.toClient) / count,
    bytes: (after.bytes - before.bytes) / count,
    changes,
  };
}

async function follow(bench: Bench, group: PeerGroup, client: PeerProcess): Promise<Following> {
  const changes = Math.floor((changesPerSecond / processes) * (bench.settings.isQuick ? 1 : 5));
  await client.request('watch', { services: followed });
  // The last revision that each followed service reaches for certain.
  const seen = client.request<Following>('seen', { nodes: processes, revision: changes - followed + 1 });
  await group.each((node) =>
    node.request('change', { services: followed, changes, perSecond: changesPerSecond / processes }),
  );
  return seen;
}

async function beatOf(
  nats: NatsServer,
  group: PeerGroup,
  client: PeerProcess,
  nodes: number,
): Promise<FleetMeasurement['beat']> {
  await client.request('followAll', {});
  const passed = async () => {
    const page = await nats.monitor('connz?limit=1024');
    const { connections } = page as {
      connections: Record<'in_msgs' | 'out_msgs' | 'in_bytes' | 'out_bytes', number>[];
    };
    const sum = (of: (one: (typeof connections)[number]) => number) =>
      connections.reduce((total, one) => total + of(one), 0);
    return {
      messages: sum((one) => one.in_msgs + one.out_msgs),
      bytes: sum((one) => one.in_bytes + one.out_bytes),
    };
  };
  const before = await passed();
  await group.each((node) => node.request('renew', {}));
  const after = await passed();
  return { messages: (after.messages - before.messages) / nodes, bytes: (after.bytes - before.bytes) / nodes };
}

/** What the server has handed to its clients since they connected. */
async function trafficOf(nats: NatsServer): Promise<{ toFleet: number; toClient: number; bytes: number }> {
  const page = await nats.monitor('connz?limit=1024');
  const { connections } = page as { connections: { name?: string; out_msgs: number; out_bytes: number }[] };
  const sum = (own: typeof connections, figure: 'out_msgs' | 'out_bytes'): number =>
    own.reduce((total, connection) => total + connection[figure], 0);
  return {
    toFleet: sum(
      connections.filter(({ name }) => name !== 'fleet-client'),
      'out_msgs',
    ),
    toClient: sum(
      connections.filter(({ name }) => name === 'fleet-client'),
      'out_msgs',
    ),
    bytes: sum(connections, 'out_bytes'),
  };
}

function rowOf(measurement: FleetMeasurement): readonly string[] {
  const { registry, services, lookupMs, incomplete, toFleet, toClient, bytes, changes } = measurement;
  return [
    registryTitles[registry],
    services.toLocaleString('en'),
    summaryText(lookupMs),
    String(incomplete),
    numberText(toFleet),
    numberText(toClient),
    numberText(bytes),
    changes === undefined ? '' : `${summaryText(changes)}, max ${numberText(changes.max)}`,
    changes === undefined ? '' : `${Math.round(changes.cpuShare * 100)} %`,
  ];
}

function upkeepOf({ registry, services, registeredMs, beat, wholeMs }: FleetMeasurement): readonly string[] {
  return [
    registryTitles[registry],
    services.toLocaleString('en'),
    numberText(registeredMs),
    numberText(beat.messages),
    numberText(beat.bytes),
    numberText(wholeMs),
  ];
}

function outcomesOf([small, large]: readonly FleetMeasurement[]): readonly Outcome[] {
  if (small === undefined || large?.changes === undefined) return [];
  return [
    judgeNumber(`${row}: latest change seen`, large.changes.max, { atMost: 1000, unit: 'ms' }),
    judgeNumber(`${row}: incomplete lookups`, large.incomplete, { atMost: 0 }),
    judgeNumber(`${row}: lookup`, large.lookupMs.median / small.lookupMs.median, {
      atMost: 1.25,
      unit: `x with ${smallFleet} services`,
    }),
    judgeNumber(`${row}: bytes per lookup`, large.bytes / small.bytes, {
      atMost: 1.1,
      unit: `x with ${smallFleet} services`,
    }),
  ];
}
