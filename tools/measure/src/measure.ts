import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { startEtcd, startKafka, startRabbitmq } from '@ts-micro-tools/backends';
import { callsOver } from './calls.ts';
import { discoveryOver } from './discovery.ts';
import { eventsOver } from './events.ts';
import type { Figure } from './figure.ts';
import { comparison } from './table.ts';

const page = 'docs/backends.md';
const rounds = 3;

/** Two backends of one interface, measured in turns so that both have the same machine. */
interface Pair {
  readonly names: readonly [string, string];
  readonly measure: (address: string, name: string) => Promise<readonly Figure[]>;
}

const load = (): string => (loadavg()[0] ?? 0).toFixed(1);
const loadBefore = load();

await using nats = await startNatsServer();
await using etcd = await startEtcd();
await using rabbitmq = await startRabbitmq();
await using kafka = await startKafka();
const addresses: Readonly<Record<string, string>> = {
  nats: nats.address,
  etcd: etcd.address,
  rabbitmq: rabbitmq.address,
  kafka: kafka.address,
};

const pairs: readonly Pair[] = [
  { names: ['nats', 'rabbitmq'], measure: callsOver },
  { names: ['nats', 'kafka'], measure: eventsOver },
  { names: ['nats', 'etcd'], measure: discoveryOver },
];

const lines: string[] = [];
for (const { names, measure } of pairs) {
  const runs = new Map<string, (readonly Figure[])[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const figures = await measure(addresses[name] ?? '', name);
      // The first round warms up.
      if (round > 0) runs.get(name)?.push(figures);
    }
  }
  lines.push(...comparison(names, runs), '');
}
const machine = `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), Node ${process.version}`;
const note = `Medians of ${rounds} rounds in turns, all of it in one process, on ${machine}.
The load of the machine was ${loadBefore} before and ${load()} after: where it does other work, only the ratios say something.`;
const text = [note, '', ...lines].join('\n').trimEnd();
console.log(text);

const [before, rest] = readFileSync(page, 'utf8').split('<!-- measured -->\n', 2);
const after = rest?.split('\n<!-- /measured -->', 2)[1];
if (before === undefined || after === undefined) throw new Error(`measure: ${page} has no place for the figures`);
writeFileSync(page, `${before}<!-- measured -->\n${text}\n<!-- /measured -->${after}`);
