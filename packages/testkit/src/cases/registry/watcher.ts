import assert from 'node:assert/strict';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { leaseMs } from './leases.ts';
import { assertRecords, complete, deregister, register, sees, simple, spoil } from './records.ts';
import { announces, next, nextOf, watch, watchFrom } from './watching.ts';

export const watcher: readonly ContractCase<'registry'>[] = casesOf('registry', 'Watcher', [
  {
    id: 'registry/watch-resync',
    title: 'the first event is a `resync` with the records as known',
    needs: ['watch'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      await watchFrom(context, registry, name);
      await register(context, registrar, complete(name));
      await register(context, registrar, simple(name, '2', 'a'));
      await sees(context, registry, name, complete(name), simple(name, '2', 'a'));
      await watchFrom(context, registry, name, complete(name), simple(name, '2', 'a'));
      const all = await next(context, await watch(context, registry), 'the resync of everything');
      assert.equal(all.type, 'resync');
      const services = all.type === 'resync' ? all.services : [];
      const mine = services.filter((record) => record.name === name);
      assertRecords(mine, [complete(name), simple(name, '2', 'a')], 'the resync of everything');
    },
  },
  {
    id: 'registry/watch-changes',
    title: 'a new version is a `create`, a changed one an `update`, a gone one a `delete`, in order',
    needs: ['watch'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const watchers = [await watchFrom(context, registry, name), await watchFrom(context, registrar, name)];
      const first = simple(name, '1', 'a');
      const changed = { ...first, metadata: { changed: 'yes' } };
      const second = complete(name);
      await register(context, registrar, first);
      for (const each of watchers) await announces(context, each, 'create', first);
      await register(context, registrar, second);
      for (const each of watchers) await announces(context, each, 'create', second);
      await register(context, registrar, changed);
      for (const each of watchers) await announces(context, each, 'update', changed);
      await deregister(context, registrar, second);
      for (const each of watchers) await announces(context, each, 'delete', second);
      await deregister(context, registrar, changed);
      for (const each of watchers) await announces(context, each, 'delete', changed);
      await register(context, registrar, first);
      for (const each of watchers) await announces(context, each, 'create', first);
    },
  },
  {
    id: 'registry/watch-nodes',
    title: 'a node that joins or leaves a version that stays is an `update`',
    needs: ['watch'],
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const watching = await watchFrom(context, await context.open(), name);
      await register(context, first, simple(name, '1', 'a'));
      await announces(context, watching, 'create', simple(name, '1', 'a'));
      await register(context, second, simple(name, '1', 'b'));
      await announces(context, watching, 'update', simple(name, '1', 'a', 'b'));
      await register(context, first, simple(name, '1', 'c'));
      await announces(context, watching, 'update', simple(name, '1', 'a', 'b', 'c'));
      await deregister(context, first, simple(name, '1', 'a'));
      await announces(context, watching, 'update', simple(name, '1', 'b', 'c'));
      await deregister(context, second, simple(name, '1', 'b'));
      await announces(context, watching, 'update', simple(name, '1', 'c'));
      const moved = { ...simple(name, '1'), nodes: [{ id: 'c', address: 'moved', metadata: { protocol: 'mucp' } }] };
      await register(context, first, moved);
      await announces(context, watching, 'update', moved);
      await deregister(context, first, simple(name, '1', 'c'));
      await announces(context, watching, 'delete', simple(name, '1', 'c'));
    },
  },
  {
    id: 'registry/watch-leases',
    title: 'a lease that runs out is announced',
    needs: ['watch', 'ttl'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const watching = await watchFrom(context, registry, name);
      await register(context, registrar, simple(name, '1', 'forever'));
      await announces(context, watching, 'create', simple(name, '1', 'forever'));
      await register(context, registrar, simple(name, '1', 'leased'), leaseMs(context));
      await announces(context, watching, 'update', simple(name, '1', 'forever', 'leased'));
      await announces(context, watching, 'update', simple(name, '1', 'forever'));
      await register(context, registrar, simple(name, '2', 'leased'), leaseMs(context));
      await announces(context, watching, 'create', simple(name, '2', 'leased'));
      await announces(context, watching, 'delete', simple(name, '2', 'leased'));
    },
  },
  {
    id: 'registry/watch-no-change',
    title: 'registering again without a change is not announced',
    needs: ['watch'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const watching = await watchFrom(context, registry, name);
      await register(context, registrar, complete(name));
      await announces(context, watching, 'create', complete(name));
      for (let round = 0; round < 5; round++) await register(context, registrar, complete(name));
      await register(context, registrar, simple(name, 'fence', 'a'));
      await announces(context, watching, 'create', simple(name, 'fence', 'a'));
    },
  },
  {
    id: 'registry/watch-one-service',
    title: 'a watcher of one service hears only of that service',
    needs: ['watch'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const others = [`${name}.more`, name.toUpperCase(), context.unique('other')];
      await register(context, registrar, simple(others[0] ?? '', '1', 'a'));
      await sees(context, registry, others[0] ?? '', simple(others[0] ?? '', '1', 'a'));
      const watching = await watchFrom(context, registry, name);
      for (const other of others) await register(context, registrar, simple(other, '2', 'a'));
      await deregister(context, registrar, simple(others[0] ?? '', '1', 'a'));
      await register(context, registrar, simple(name, '1', 'a'));
      await announces(context, watching, 'create', simple(name, '1', 'a'));
    },
  },
  {
    id: 'registry/watch-at-once',
    title: 'a change made right after `watch` has resolved is announced',
    needs: ['watch'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const changeAtOnce = async (): Promise<void> => {
        const name = context.unique('service');
        const watching = await watch(context, registry, name);
        await register(context, registrar, simple(name, '1', 'a'));
        const first = await next(context, watching, 'the first event');
        assertRecords(first.type === 'resync' ? first.services : [], [], 'the resync from before the change');
        await announces(context, watching, 'create', simple(name, '1', 'a'));
      };
      for (let round = 0; round < 2; round++) await changeAtOnce();
      // And while others are at it.
      await Promise.all(Array.from({ length: 8 }, changeAtOnce));
    },
  },
  {
    id: 'registry/watch-meanwhile',
    title: 'a change made while `watch` is under way is in the `resync` or announced',
    needs: ['watch'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      for (let round = 0; round < 5; round++) {
        const name = context.unique('service');
        const records = Array.from({ length: 10 }, (_, index) => simple(name, String(index), 'a'));
        const opening = watch(context, registry, name);
        await Promise.all(records.map((record) => register(context, registrar, record)));
        const watching = await opening;
        const known = new Set<string>();
        const first = await next(context, watching, 'the first event');
        for (const record of first.type === 'resync' ? first.services : []) known.add(record.version);
        while (known.size < records.length) {
          const event = await next(context, watching, `a create, with ${known.size} of ${records.length} known`);
          assert.equal(event.type, 'create', `announced: ${JSON.stringify(event)}`);
          if (event.type === 'create') known.add(event.service.version);
        }
      }
    },
  },
  {
    id: 'registry/every-watcher',
    title: 'every watcher gets every change',
    needs: ['watch'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const watchers = [
        await watchFrom(context, registry, name),
        await watchFrom(context, registry, name),
        await watchFrom(context, registrar, name),
      ];
      const everything = await watch(context, registry);
      assert.equal((await next(context, everything, 'the resync of everything')).type, 'resync');
      const records = Array.from({ length: 30 }, (_, index) => simple(name, String(index), 'a'));
      for (const record of records) await register(context, registrar, record);
      for (const each of [...watchers, everything]) {
        for (const record of records) {
          const event = await nextOf(context, each, name, `the create of ${record.version}`);
          assert.equal(event.type, 'create');
          assertRecords(event.type === 'create' ? [event.service] : [], [record], 'the next change');
          // What one watcher does with its record is not seen by the others.
          spoil(event);
        }
      }
      await sees(context, registry, name, ...records);
    },
  },
]);
