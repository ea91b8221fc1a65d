import assert from 'node:assert/strict';
import type { Registry } from '@ts-micro/core';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { beginToConnect, endByDeadline, outage, tellsTheTruth } from '../outage.ts';
import { leaseMs } from './leases.ts';
import { restored } from './outage.ts';
import { deregister, lookUp, nodeIds, type RegistryContext, register, sees, simple } from './records.ts';
import { watchFrom } from './watching.ts';

export const outageTruths: readonly ContractCase<'registry'>[] = casesOf('registry', 'Registry', [
  {
    id: 'registry/outage-deregistered',
    title: 'a node that was deregistered stays gone through an outage',
    needs: ['faults'],
    run: (context) => staysGone(context, () => outage(context)),
  },
  {
    id: 'registry/data-loss-deregistered',
    title: 'a node that was deregistered stays gone where the server lost its data',
    needs: ['loseData'],
    run: (context) => staysGone(context, () => context.hooks.loseData()),
  },
  {
    id: 'registry/data-loss-node',
    title: 'a registered node is seen again where the server lost its data',
    needs: ['loseData'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const record = simple(context.unique('service'), '1', 'a', 'b');
      await register(context, registrar, record);
      await sees(context, registry, record.name, record);
      for (let round = 0; round < 2; round++) {
        await context.hooks.loseData();
        for (const each of [registry, registrar]) await restored(context, each, record);
      }
    },
  },
  {
    id: 'registry/outage-lease',
    title: 'what an outage brings back keeps its lease',
    needs: ['faults', 'ttl'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const ttlMs = leaseMs(context);
      // The second is not leased, and shows when the backend is back.
      const [leased, kept] = [simple(context.unique('leased'), '1', 'a'), simple(context.unique('kept'), '1', 'b')];
      await register(context, registrar, kept);
      await register(context, registrar, leased, ttlMs);
      await outage(context);
      await restored(context, registry, kept);
      const bound = 10 * ttlMs + context.ms(10_000);
      for (const each of [registry, registrar])
        await context.eventually('the leased node to be gone', () => gone(context, each, leased.name), bound);
      await restored(context, registry, kept);
    },
  },
  {
    id: 'registry/outage-is-connected',
    title: '`isConnected`, where it is known, is false during an outage and true after it',
    needs: ['faults'],
    async run(context) {
      const registry = await context.open();
      const record = simple(context.unique('service'), '1', 'a');
      await tellsTheTruth(context, registry, () => register(context, registry, record));
    },
  },
  {
    id: 'registry/half-open-deadline',
    title: 'a call ends at its deadline though nobody answers',
    needs: ['halfOpen'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const record = simple(context.unique('service'), '1', 'a');
      const added = simple(record.name, '1', 'b');
      await register(context, registrar, record);
      await sees(context, registry, record.name, record);
      const watcher = context.supports.watch ? await watchFrom(context, registry, record.name, record) : undefined;
      await context.hooks.halfOpen();
      await endByDeadline(
        context,
        {
          // Who could not ask has no answer, least of all an empty one.
          getService: async (options) => {
            assert.notEqual((await registry.getService(record.name, options)).length, 0, 'an empty list, unasked');
          },
          listServices: async (options) => {
            assert.notEqual((await registry.listServices(options)).length, 0, 'an empty list, unasked');
          },
          'receive of a watcher': async (options) => watcher?.receive(options),
          watch: async (options) => (watcher ? registry.watch({ ...options, service: record.name }) : undefined),
          register: (options) => registrar.register(added, options),
          deregister: (options) => registrar.deregister(record, options),
        },
        (options) => Promise.all([registrar.close(options), registry.close(options)]),
      );
    },
  },
  {
    id: 'registry/half-open',
    title: 'a connection that is lost without a word is found out',
    needs: ['halfOpen'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const record = simple(context.unique('service'), '1', 'a');
      await register(context, registrar, record);
      await sees(context, registry, record.name, record);
      const beginning = await beginToConnect(context, (each) => each.getService(record.name));
      await context.hooks.halfOpen();
      for (const each of [registry, registrar, ...beginning]) await restored(context, each, record, context.ms(25_000));
    },
  },
]);

/** Deregisters one of two nodes, has `fault` happen, and waits until the other is there and the first is not. */
async function staysGone(context: RegistryContext, fault: () => Promise<void>): Promise<void> {
  const [registrar, registry] = [await context.open(), await context.open()];
  const name = context.unique('service');
  const [leaving, staying] = [simple(name, '1', 'leaving'), simple(name, '1', 'staying')];
  const whole = simple(context.unique('service'), '1', 'alone');
  await register(context, registrar, leaving);
  await register(context, registrar, staying);
  await register(context, registrar, whole);
  await sees(context, registry, name, simple(name, '1', 'leaving', 'staying'));
  await deregister(context, registrar, leaving);
  await deregister(context, registrar, whole);
  await sees(context, registry, name, staying);
  await context.eventually('the service to be gone', () => gone(context, registry, whole.name));
  await fault();
  for (const each of [registry, registrar]) {
    await restored(context, each, staying);
    assert.deepEqual(await found(context, each, whole.name), [], `nodes of ${whole.name}`);
  }
  // What was put back out of turn would come with the next one that is registered.
  const next = simple(name, '2', 'next');
  await context.eventually('registering after the outage', () => register(context, registrar, next));
  for (const each of [registry, registrar]) await sees(context, each, name, staying, next);
}

async function gone(context: RegistryContext, registry: Registry, name: string): Promise<void> {
  assert.deepEqual(nodeIds(await lookUp(context, registry, name)), [], `nodes of ${name}`);
}

/** Returns the nodes that a lookup finds, once there is an answer: after an outage one may be refused, or get none. */
async function found(context: RegistryContext, registry: Registry, name: string): Promise<readonly string[]> {
  let ids: readonly string[] = [];
  await context.eventually('a lookup to be answered', async () => {
    ids = nodeIds(await lookUp(context, registry, name));
  });
  return ids;
}
