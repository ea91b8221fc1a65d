import { MicroError } from '@ts-micro/core';

/** A server that somebody started for the demo. */
export interface RunningServer extends AsyncDisposable {
  readonly address: string;
  readonly pid: number;
}

/** Something that a demo's registry, transport or broker may be. */
export interface Backend {
  readonly name: string;
  readonly start: () => Promise<RunningServer>;
  /** Where the modules are that register its plugins, by kind. */
  readonly registers: Readonly<Partial<Record<PluginKind, () => string>>>;
}

export type PluginKind = 'registry' | 'transport' | 'broker';

/** In the order in which `--backends` names them. */
export const kinds: readonly PluginKind[] = ['registry', 'transport', 'broker'];

// Nothing of them is imported before somebody names them.
const known: readonly Backend[] = [
  {
    name: 'nats',
    start: async () => (await import('@ts-micro/testkit/nats')).startNatsServer(),
    registers: {
      registry: () => import.meta.resolve('@ts-micro/registry-nats/register'),
      transport: () => import.meta.resolve('@ts-micro/transport-nats/register'),
      broker: () => import.meta.resolve('@ts-micro/broker-nats/register'),
    },
  },
  {
    name: 'etcd',
    start: async () => (await import('@ts-micro-tools/backends')).startEtcd(),
    registers: { registry: () => import.meta.resolve('@ts-micro/registry-etcd/register') },
  },
  {
    name: 'rabbitmq',
    start: async () => (await import('@ts-micro-tools/backends')).startRabbitmq(),
    registers: { transport: () => import.meta.resolve('@ts-micro/transport-rabbitmq/register') },
  },
  {
    name: 'kafka',
    start: async () => (await import('@ts-micro-tools/backends')).startKafka(),
    registers: { broker: () => import.meta.resolve('@ts-micro/broker-kafka/register') },
  },
];

/** The backends of a registry, a transport and a broker. Throws `invalid` where they are not three that can be that. */
export function backendsNamed(names: readonly string[]): readonly Backend[] {
  return kinds.map((kind, index) => {
    const found = known.find(({ name, registers }) => name === names[index] && registers[kind] !== undefined);
    if (found !== undefined && names.length === kinds.length) return found;
    const able = known.filter(({ registers }) => registers[kind] !== undefined).map(({ name }) => name);
    const rule = `a registry, a transport and a broker; the ${kind} is one of ${able.join(', ')}`;
    throw new MicroError('invalid', `demo: --backends=${names.join(',')}: name ${rule}`);
  });
}
