import { type Registry, type ServiceRecord, serviceRecord, type Watcher } from '@ts-micro/core';
import { etcdRegistry } from '@ts-micro/registry-etcd';
import { natsRegistry } from '@ts-micro/registry-nats';
import { type Figure, median } from './figure.ts';

const services = 20;

/** How soon a registry tells of a node that comes or goes, and how long it takes to ask. */
export async function discoveryOver(servers: string, name: string): Promise<readonly Figure[]> {
  const make = (): Registry => (name === 'nats' ? natsRegistry({ servers }) : etcdRegistry({ servers }));
  await using registering = make();
  await using asking = make();
  await using watcher = await asking.watch();
  await next(watcher, 'resync');
  const came: number[] = [];
  const asked: number[] = [];
  const went: number[] = [];
  for (let number = 0; number < services; number++) {
    const record = recordOf(number);
    came.push(
      await timed(() => Promise.all([registering.register(record, { ttlMs: 60_000 }), next(watcher, 'create')])),
    );
    asked.push(await timed(() => asking.getService(record.name)));
    went.push(await timed(() => Promise.all([registering.deregister(record), next(watcher, 'delete')])));
  }
  return [
    { what: 'from `register` to a watcher', value: median(came), unit: 'ms' },
    { what: '`getService`, asked of the backend', value: median(asked), unit: 'ms' },
    { what: 'from `deregister` to a watcher', value: median(went), unit: 'ms' },
  ];
}

function recordOf(number: number): ServiceRecord {
  const name = `measured-${number}`;
  return serviceRecord({ name, version: '1.0.0', nodes: [{ id: `${name}-1`, address: 'a', metadata: {} }] });
}

async function next(watcher: Watcher, type: string): Promise<void> {
  for (;;) {
    const event = await watcher.receive();
    if (event === undefined) throw new Error('measure: the watcher ended');
    if (event.type === type) return;
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}
