import assert from 'node:assert/strict';
import { serviceRecord } from '@ts-micro/core';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { deregister, lookUp, register, sees, simple } from './records.ts';

export const merging: readonly ContractCase<'registry'>[] = casesOf('registry', 'Registry', [
  {
    id: 'registry/merged',
    title: 'nodes of one version from two registries are merged',
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const name = context.unique('service');
      await register(context, first, simple(name, '1', 'a', 'b'));
      await register(context, second, simple(name, '1', 'c'));
      for (const registry of [first, second, await context.open()])
        await sees(context, registry, name, simple(name, '1', 'a', 'b', 'c'));
    },
  },
  {
    id: 'registry/no-duplicates',
    title: 'registering a node again replaces it and does not duplicate it',
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const name = context.unique('service');
      await register(context, first, simple(name, '1', 'a', 'b'));
      await sees(context, second, name, simple(name, '1', 'a', 'b'));
      const moved = serviceRecord({
        name,
        version: '1',
        metadata: { changed: 'yes' },
        nodes: [{ id: 'a', address: 'moved', metadata: { zone: 'new' } }],
      });
      await register(context, first, moved);
      const expected = { ...moved, nodes: [...moved.nodes, ...simple(name, '1', 'b').nodes] };
      for (const registry of [first, second]) await sees(context, registry, name, expected);
      // The same node through another registry, as after a move from one process to another.
      await register(context, second, moved);
      for (const registry of [first, second, await context.open()]) await sees(context, registry, name, expected);
    },
  },
  {
    id: 'registry/adds-nodes',
    title: 'registering adds to the nodes already there',
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const name = context.unique('service');
      for (const id of ['a', 'b', 'c']) await register(context, first, simple(name, '1', id));
      for (const registry of [first, second]) await sees(context, registry, name, simple(name, '1', 'a', 'b', 'c'));
    },
  },
  {
    id: 'registry/versions-apart',
    title: 'versions are kept apart',
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const records = ['', '1', '1.0', '2'].map((version) => simple(name, version, `node of ${version}`, 'same id'));
      for (const [index, record] of records.entries()) await register(context, index % 2 ? first : second, record);
      for (const registry of [first, second]) await sees(context, registry, name, ...records);
    },
  },
  {
    id: 'registry/deregister-named',
    title: 'deregistering removes only the nodes it names',
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const name = context.unique('service');
      await register(context, first, simple(name, '1', 'a', 'b'));
      await register(context, first, simple(name, '2', 'a', 'b'));
      await register(context, second, simple(name, '1', 'c'));
      await deregister(context, first, simple(name, '1', 'a'));
      for (const registry of [first, second])
        await sees(context, registry, name, simple(name, '1', 'b', 'c'), simple(name, '2', 'a', 'b'));
    },
  },
  {
    id: 'registry/last-node',
    title: 'a version goes with its last node',
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const name = context.unique('service');
      await register(context, first, simple(name, '1', 'a', 'b'));
      await register(context, first, simple(name, '2', 'c'));
      await sees(context, second, name, simple(name, '1', 'a', 'b'), simple(name, '2', 'c'));
      await deregister(context, first, simple(name, '1', 'a'));
      await deregister(context, first, simple(name, '1', 'b'));
      for (const registry of [first, second]) await sees(context, registry, name, simple(name, '2', 'c'));
      await deregister(context, first, simple(name, '2', 'c'));
      for (const registry of [first, second]) await sees(context, registry, name);
      const listed = await context.within(second.listServices(), 'listServices');
      assert.ok(!listed.some((record) => record.name === name), 'a service without versions is listed');
    },
  },
  {
    id: 'registry/without-nodes',
    title: 'a version without nodes can be registered and deregistered',
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const name = context.unique('service');
      await register(context, first, simple(name, '1'));
      for (const registry of [first, second]) await sees(context, registry, name, simple(name, '1'));
      await deregister(context, first, simple(name, '1'));
      for (const registry of [first, second]) await sees(context, registry, name);
    },
  },
  {
    id: 'registry/deregister-nothing',
    title: 'deregistering what is not there succeeds',
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const name = context.unique('service');
      await deregister(context, first, simple(name, '1', 'a'));
      await register(context, first, simple(name, '1', 'a'));
      await deregister(context, first, simple(name, '1', 'other'));
      await deregister(context, first, simple(name, '2', 'a'));
      for (const registry of [first, second]) await sees(context, registry, name, simple(name, '1', 'a'));
      assert.equal((await lookUp(context, first, name)).length, 1);
    },
  },
]);
