import { readFileSync } from 'node:fs';
import { kafkaBroker } from '@ts-micro/broker-kafka';
import { natsBroker } from '@ts-micro/broker-nats';
import type { Closable } from '@ts-micro/core';
import { etcdRegistry } from '@ts-micro/registry-etcd';
import { natsRegistry } from '@ts-micro/registry-nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { rabbitmqTransport } from '@ts-micro/transport-rabbitmq';
import { expect, test } from 'vitest';

const page = readFileSync(new URL('../../../docs/backends.md', import.meta.url), 'utf8');

interface Plugin extends Closable {
  readonly name: string;
  readonly supports: object;
}

const plugins: Readonly<Record<string, readonly (() => Plugin)[]>> = {
  registry: [natsRegistry, etcdRegistry],
  transport: [natsTransport, rabbitmqTransport],
  broker: [natsBroker, kafkaBroker],
};

test('the page of backends has what plugins say in `supports`', async () => {
  const [, table] = /<!-- supports -->\n(.*)\n<!-- \/supports -->/s.exec(page) ?? [];
  expect(table).toBe((await supportsTable()).join('\n'));
});

async function supportsTable(): Promise<readonly string[]> {
  const rows = ['| | plugin | supports |', '| --- | --- | --- |'];
  for (const [kind, factories] of Object.entries(plugins)) {
    for (const make of factories) {
      await using plugin = make();
      rows.push(`| ${kind} | ${plugin.name} | ${Object.entries(plugin.supports).map(textOf).join(', ')} |`);
    }
  }
  return rows;
}

function textOf([feature, value]: [string, unknown]): string {
  if (typeof value === 'number') return `${feature} ${value}`;
  return value ? feature : `~~${feature}~~`;
}
