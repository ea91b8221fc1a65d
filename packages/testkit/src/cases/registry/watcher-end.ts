import assert from 'node:assert/strict';
import { MicroError, type RegistryEvent } from '@ts-micro/core';
import { rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { register, simple } from './records.ts';
import { announces, next, watchFrom } from './watching.ts';

const largeBytes = 200_000;
const largeCount = 120;

export const watcherEnd: readonly ContractCase<'registry'>[] = casesOf('registry', 'Watcher', [
  {
    id: 'registry/watcher-close-ends-wait',
    title: 'closing a watcher ends a pending wait',
    needs: ['watch'],
    async run(context) {
      const registry = await context.open();
      const name = context.unique('service');
      const watching = await watchFrom(context, registry, name);
      const other = await watchFrom(context, registry, name);
      const pending = [watching.receive(), watching.receive()];
      const ended = context.within(Promise.all(pending), 'the pending waits');
      const looping = context.within(
        (async () => {
          for await (const event of watching) assert.fail(`a closed watcher gave ${event.type}`);
        })(),
        'the end of the loop',
      );
      await context.within(watching.close(), 'close');
      assert.deepEqual(await ended, [undefined, undefined]);
      await looping;
      await rejection(context.within(watching.receive(), 'receive'), 'a receive after it', 'closed');
      await register(context, registry, simple(name, '1', 'a'));
      await announces(context, other, 'create', simple(name, '1', 'a'));
    },
  },
  {
    id: 'registry/aborted-receive-loses-nothing',
    title: 'an aborted `receive` loses no event',
    needs: ['watch'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const watching = await watchFrom(context, registry, name);
      const versions: string[] = [];
      const note = (event: RegistryEvent | undefined) => {
        assert.equal(event?.type, 'create');
        if (event?.type === 'create') versions.push(event.service.version);
      };
      for (let round = 0; round < 20; round++) {
        const controller = new AbortController();
        const pending = watching.receive({ signal: controller.signal }).then(note, (error: unknown) => {
          assert.ok(MicroError.is(error, 'canceled'), `rejected with ${error}`);
        });
        const heard = context.within(pending, 'the aborted receive');
        if (round % 2 === 0) controller.abort();
        await register(context, registrar, simple(name, String(round), 'a'));
        controller.abort();
        await heard;
      }
      while (versions.length < 20) note(await next(context, watching, 'the rest'));
      assert.deepEqual(
        versions,
        Array.from({ length: 20 }, (_, index) => String(index)),
      );
    },
  },
  {
    id: 'registry/close-ends-watchers',
    title: 'closing a registry ends its watchers',
    needs: ['watch'],
    async run(context) {
      const registry = await context.open();
      const name = context.unique('service');
      const watchers = [await watchFrom(context, registry, name), await watchFrom(context, registry, name)];
      const pending = context.within(Promise.all(watchers.map((each) => each.receive())), 'the pending waits');
      await context.within(registry.close(), 'close');
      assert.deepEqual(await pending, [undefined, undefined]);
      for (const each of watchers) await context.within(each.closed, 'the end of a watcher');
    },
  },
  {
    id: 'registry/unread-watcher',
    title: 'a watcher that nobody reads does not delay another',
    needs: ['watch'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      await watchFrom(context, registry, name);
      const read = await watchFrom(context, registry, name);
      for (let index = 0; index < 200; index++) {
        const record = simple(name, String(index), 'a');
        await register(context, registrar, record);
        await announces(context, read, 'create', record);
      }
    },
  },
  {
    id: 'registry/watcher-overflow',
    title: 'where more events wait than a watcher holds, one `resync` takes the place of all of them',
    needs: ['watch'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const unread = await watchFrom(context, registry, name);
      const read = await watchFrom(context, registry, name);
      // Large, so that a watcher which bounds the memory that events take comes to its bound soon.
      const text = 'x'.repeat(largeBytes);
      const large = (turn: number) => ({ ...simple(name, '1', 'a'), metadata: { turn: String(turn), text } });
      for (let turn = 0; turn < largeCount; turn++) {
        await register(context, registrar, large(turn));
        await announces(context, read, turn === 0 ? 'create' : 'update', large(turn));
      }
      let turn = -1;
      for (let count = 0; turn < largeCount - 1; count++) {
        const event = await next(context, unread, `an event after turn ${turn}`);
        const [record] = event.type === 'resync' ? event.services : [event.service];
        const now = Number(record?.metadata.turn);
        if (event.type === 'resync') assert.equal(count, 0, 'events that came before the resync which replaces them');
        else assert.equal(now, turn + 1, 'the turn that is announced next');
        turn = now;
      }
      await register(context, registrar, simple(name, '2', 'b'));
      await announces(context, unread, 'create', simple(name, '2', 'b'));
    },
  },
]);
