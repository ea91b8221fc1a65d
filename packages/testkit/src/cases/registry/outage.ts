import assert from 'node:assert/strict';
import type { Registry, ServiceRecord } from '@ts-micro/core';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { failure, outage, refusedAsUnavailable } from '../outage.ts';
import { assertRecords, type RegistryContext, register, sees, simple } from './records.ts';
import { next, watchFrom } from './watching.ts';

export const outages: readonly ContractCase<'registry'>[] = casesOf('registry', 'Registry', [
  {
    id: 'registry/outage-node',
    title: 'a registered node is seen again after an outage',
    needs: ['faults'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const record = simple(context.unique('service'), '1', 'a', 'b');
      await register(context, registrar, record);
      await sees(context, registry, record.name, record);
      await outage(context);
      for (const each of [registry, registrar]) await restored(context, each, record);
    },
  },
  {
    id: 'registry/outage-lookup',
    title: 'a lookup during an outage rejects with `unavailable`',
    needs: ['faults'],
    async run(context) {
      const [registrar, registry, cold] = [await context.open(), await context.open(), await context.open()];
      const record = simple(context.unique('service'), '1', 'a');
      await register(context, registrar, record);
      await sees(context, registry, record.name, record);
      await outage(context, async () => {
        for (const each of [registry, cold]) {
          // Where a registry connects with its first call, this is the first of the other one.
          const which = each === cold ? 'a first ' : '';
          await refusedAsUnavailable(context, `${which}getService`, async () => {
            assert.notEqual((await each.getService(record.name)).length, 0, 'an empty list during an outage');
          });
          await refusedAsUnavailable(context, `${which}listServices`, async () => {
            assert.notEqual((await each.listServices()).length, 0, 'an empty list during an outage');
          });
        }
      });
      await restored(context, registry, record);
    },
  },
  {
    id: 'registry/outage-resync',
    title: 'a watcher announces a `resync` after an outage',
    needs: ['faults', 'watch'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const record = simple(context.unique('service'), '1', 'a');
      await register(context, registrar, record);
      await sees(context, registry, record.name, record);
      const watching = await watchFrom(context, registry, record.name, record);
      await outage(context);
      let isResynced = false;
      let known: readonly ServiceRecord[] = [];
      // The registrar may be back before or after the watcher: the node is in the resync, or announced after it.
      await context.until('a resync, and the node', async () => {
        const event = await next(context, watching, isResynced ? 'the node' : 'the resync');
        if (event.type === 'resync') isResynced = true;
        if (event.type === 'resync') known = event.services;
        else known = event.type === 'delete' ? [] : [event.service];
        return isResynced && known.length === 1;
      });
      assertRecords(known, [record], 'what the watcher knows after the outage');
    },
  },
  {
    id: 'registry/outage-change',
    title: 'a change after an outage is announced',
    needs: ['faults', 'watch'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const record = simple(context.unique('service'), '1', 'a');
      const watching = await watchFrom(context, registry, record.name);
      await outage(context);
      await context.eventually('registering after the outage', () => register(context, registrar, record));
      await context.until('the new version', async () => {
        const event = await next(context, watching, 'the create or a resync with it');
        if (event.type === 'resync') return event.services.length === 1;
        assertRecords([event.service], [record], 'what is announced');
        return true;
      });
    },
  },
  {
    id: 'registry/outage-close',
    title: 'closing a registry during an outage does not hang',
    needs: ['faults'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const record = simple(context.unique('service'), '1', 'a');
      await register(context, registrar, record);
      await sees(context, registry, record.name, record);
      await outage(context, async () => {
        const signal = context.deadline(500);
        const closing = Promise.all([registrar.close({ signal }), registry.close({ signal })]);
        await context.within(closing, 'close during an outage');
      });
    },
  },
  {
    id: 'registry/partition',
    title: 'a registry recovers from a cut network',
    needs: ['partition'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const record = simple(context.unique('service'), '1', 'a');
      await register(context, registrar, record);
      await sees(context, registry, record.name, record);
      await context.within(context.faults.partition?.(context.ms(500)) ?? Promise.resolve(), 'faults.partition()');
      for (const each of [registry, registrar]) await restored(context, each, record);
    },
  },
]);

/** Waits until a registry that may not be connected yet sees the record again. */
export async function restored(
  context: RegistryContext,
  registry: Registry,
  record: ServiceRecord,
  ms?: number,
): Promise<void> {
  const attempt = async (): Promise<void> => {
    const looked = context.within(registry.getService(record.name), 'getService');
    const error = await failure(looked);
    if (error) throw error;
    assertRecords(await looked, [record], 'after the outage');
  };
  await context.eventually('the record after the outage', attempt, ms);
}
