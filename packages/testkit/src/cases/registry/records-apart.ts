import assert from 'node:assert/strict';
import type { ServiceRecord } from '@ts-micro/core';
import { rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { assertRecords, complete, lookUp, register, sees, simple, spoil } from './records.ts';

export const recordsApart: readonly ContractCase<'registry'>[] = casesOf('registry', 'Registry', [
  {
    id: 'registry/close-removes',
    title: 'closing a registry removes what it registered',
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const name = context.unique('service');
      await register(context, first, simple(name, '1', 'a'));
      await register(context, first, simple(name, '2', 'b'));
      await register(context, second, simple(name, '1', 'c'));
      await sees(context, second, name, simple(name, '1', 'a', 'c'), simple(name, '2', 'b'));
      await context.within(first.close(), 'close');
      for (const registry of [second, await context.open()])
        await sees(context, registry, name, simple(name, '1', 'c'));
    },
  },
  {
    id: 'registry/copies',
    title: 'records handed out are copies',
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const name = context.unique('service');
      await register(context, first, complete(name));
      for (const registry of [first, second]) {
        await sees(context, registry, name, complete(name));
        for (const record of await lookUp(context, registry, name)) spoil(record);
        const listed = await context.within(registry.listServices(), 'listServices');
        for (const record of listed) if (record.name === name) spoil(record);
        const again = await context.within(registry.listServices(), 'listServices again');
        const mine = again.filter((record) => record.name === name);
        assertRecords(mine, [complete(name)], 'listed after a caller changed its records');
        assertRecords(await lookUp(context, registry, name), [complete(name)], 'after a caller changed its records');
      }
      assertRecords(await lookUp(context, first, name), [complete(name)], 'after another caller changed its records');
    },
  },
  {
    id: 'registry/given-record-changes',
    title: 'a record given to `register` may be changed afterwards',
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const record = complete(name);
      await register(context, first, record);
      assertRecords([record], [complete(name)], 'the record in the hands of its owner');
      spoil(record);
      for (const registry of [first, second]) await sees(context, registry, name, complete(name));
    },
  },
  {
    id: 'registry/invalid-record',
    title: 'a record without a name, or a node without id or address, is refused with `invalid`',
    async run(context) {
      const registry = await context.open();
      const name = context.unique('service');
      const good = simple(name, '1', 'one');
      const node = { id: 'one', address: 'somewhere', metadata: {} };
      const bad: [string, ServiceRecord][] = [
        ['a record without a name', { ...good, name: '' }],
        ['a node without id', { ...good, nodes: [node, { ...node, id: '' }] }],
        ['a node without address', { ...good, nodes: [{ ...node, address: '' }] }],
      ];
      for (const [what, record] of bad)
        await rejection(context.within(registry.register(record), 'register'), what, 'invalid');
      await rejection(context.within(registry.getService(''), 'getService'), 'looking up an empty name', 'invalid');
      assert.deepEqual(await lookUp(context, registry, name), [], 'what was refused is registered');
    },
  },
]);
