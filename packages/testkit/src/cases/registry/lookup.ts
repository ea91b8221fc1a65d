import assert from 'node:assert/strict';
import { type Registry, serviceRecord } from '@ts-micro/core';
import { rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { failure, outage } from '../outage.ts';
import { assertRecords, complete, lookUp, nodeIds, register, sees, simple } from './records.ts';

export const lookup: readonly ContractCase<'registry'>[] = casesOf('registry', 'Registry', [
  {
    id: 'registry/seen-complete',
    title: 'a registered service is seen from another registry instance, complete',
    async run(context) {
      const registrar = await context.open();
      const elsewhere = await context.open();
      const name = context.unique('service');
      const bare = serviceRecord({ name: context.unique('bare'), nodes: [{ id: 'one', address: 'somewhere' }] });
      await register(context, registrar, complete(name));
      await register(context, registrar, bare);
      for (const registry of [elsewhere, registrar]) {
        await sees(context, registry, name, complete(name));
        await sees(context, registry, bare.name, bare);
      }
    },
  },
  {
    id: 'registry/unknown-name',
    title: 'an unknown name gives an empty list',
    async run(context) {
      const registry = await context.open();
      const name = context.unique('service');
      assert.deepEqual(await lookUp(context, registry, name), [], 'when nothing is registered');
      await register(context, await context.open(), simple(name, '1', 'one'));
      await sees(context, registry, name, simple(name, '1', 'one'));
      assert.deepEqual(await lookUp(context, registry, context.unique('other')), [], 'when others are registered');
    },
  },
  {
    id: 'registry/list-services',
    title: '`listServices` gives every service and version once',
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const [one, two] = [context.unique('one'), context.unique('two')];
      await register(context, first, simple(one, '1', 'a'));
      await register(context, second, simple(one, '1', 'b'));
      await register(context, first, simple(one, '2', 'c'));
      await register(context, second, complete(two));
      const expected = [simple(one, '1', 'a', 'b'), simple(one, '2', 'c'), complete(two)];
      for (const registry of [first, second, await context.open()]) {
        await context.eventually('the list', async () => {
          const listed = await context.within(registry.listServices(), 'listServices');
          // Where a server is shared, others may be listed too.
          assertRecords(
            listed.filter(({ name }) => name === one || name === two),
            expected,
            'what is listed',
          );
        });
      }
    },
  },
  {
    id: 'registry/exact-names',
    title: 'names are compared exactly',
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('Service.greeter');
      await register(context, registrar, simple(name, '1', 'one'));
      await sees(context, registry, name, simple(name, '1', 'one'));
      const others = [name.toLowerCase(), name.toUpperCase(), name.slice(0, -1), `${name}.more`, name.slice(1)];
      const lookups = [...others, '__proto__', 'constructor'].map(async (other) =>
        assert.deepEqual(await lookUp(context, registry, other), [], `looking up ${other} for ${name}`),
      );
      // Side by side, as a backend may have to wait before it knows that there is nothing.
      await Promise.all(lookups);
    },
  },
  {
    id: 'registry/prototype-metadata',
    title: 'metadata named `__proto__` and `constructor` is plain metadata',
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const metadata = Object.fromEntries([
        ['__proto__', 'plain'],
        ['constructor', 'plain too'],
      ]);
      const name = context.unique('service');
      const record = {
        ...serviceRecord({ name }),
        metadata,
        endpoints: [{ name: 'Greeter.Hello', metadata }],
        nodes: [{ id: 'one', address: 'somewhere', metadata }],
      };
      await register(context, registrar, record);
      for (const each of [registry, registrar]) await sees(context, each, name, record);
    },
  },
  {
    id: 'registry/concurrent-lookups',
    title: 'registering and looking up at once from many callers gives each a complete answer',
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const ids = Array.from({ length: 20 }, (_, index) => `node-${index}`);
      await register(context, registrar, simple(name, '1', ...ids));
      await sees(context, registry, name, simple(name, '1', ...ids));
      const lookups = Array.from({ length: 30 }, (_, index) => lookUp(context, index % 2 ? registrar : registry, name));
      const others = Array.from({ length: 30 }, () => simple(context.unique('other'), '1', 'one'));
      await Promise.all(others.map((other, index) => register(context, index % 2 ? registrar : registry, other)));
      for (const records of await Promise.all(lookups))
        assertRecords(records, [simple(name, '1', ...ids)], 'one of many lookups');
      for (const other of others) await sees(context, registrar, other.name, other);
      for (const other of others) await sees(context, registry, other.name, other);
      // Each asks for another, so that answers that are mixed up show.
      const mixed = others.map((other, index) => lookUp(context, index % 2 ? registrar : registry, other.name));
      assertRecords((await Promise.all(mixed)).flat(), others, 'many lookups of different names');
    },
  },
  {
    id: 'registry/quorum',
    title: 'a lookup with a `quorum` gives at least that many nodes of one version where they exist',
    async run(context) {
      const [first, second] = [await context.open(), await context.open()];
      const name = context.unique('service');
      await register(context, first, simple(name, '1', 'a', 'b'));
      await register(context, second, simple(name, '1', 'c', 'd'));
      const all = simple(name, '1', 'a', 'b', 'c', 'd');
      for (const registry of [first, second, await context.open()]) {
        await sees(context, registry, name, all);
        for (const quorum of [1, 3, 100]) {
          const records = await context.within(registry.getService(name, { quorum }), `a quorum of ${quorum}`);
          const ids = nodeIds(records);
          assert.ok(ids.length >= Math.min(quorum, 4), `a quorum of ${quorum} gives ${ids}`);
          assert.deepEqual(
            ids,
            ids.filter((id, index) => 'abcd'.includes(id) && ids.indexOf(id) === index),
          );
        }
      }
    },
  },
  {
    id: 'registry/could-not-ask',
    title: 'not being able to ask is an error and never an empty list',
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      await register(context, registrar, simple(name, '1', 'one'));
      await sees(context, registry, name, simple(name, '1', 'one'));
      for (const ask of asks(name)) {
        const aborted = ask(registry, AbortSignal.abort());
        await rejection(context.within(aborted, 'a lookup'), 'a lookup aborted before', 'canceled');
        const controller = new AbortController();
        const asked = answers(ask(registry, controller.signal));
        controller.abort();
        await context.within(asked, 'a lookup aborted while waiting');
      }
      if (context.hasFaults) {
        await outage(context, async () => {
          const signal = context.deadline(2000);
          for (const ask of asks(name))
            await context.within(answers(ask(registry, signal)), 'a lookup during an outage');
        });
      }
      await context.within(registry.close(), 'close');
      for (const ask of asks(name))
        await rejection(context.within(ask(registry), 'a lookup'), 'a lookup after close', 'closed');
    },
  },
]);

function asks(name: string) {
  return [
    (registry: Registry, signal?: AbortSignal) => registry.getService(name, signal && { signal }),
    (registry: Registry, signal?: AbortSignal) => registry.listServices(signal && { signal }),
  ] as const;
}

/** Resolves when the lookup was refused, or knew the service; an empty list is neither. */
async function answers(asked: Promise<readonly unknown[]>): Promise<void> {
  let count = -1;
  await failure(
    asked.then((records) => {
      count = records.length;
    }),
  );
  assert.notEqual(count, 0, 'a registry that could not ask answered with an empty list');
}
