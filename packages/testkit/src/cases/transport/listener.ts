import assert from 'node:assert/strict';
import type { Socket } from '@ts-micro/core';
import { message, rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { gate } from '../gate.ts';
import { failure } from '../outage.ts';
import { connect, dial, echo, exchange, receive, receiveText, serve, serveWith } from './pair.ts';

export const listener: readonly ContractCase<'transport'>[] = casesOf('transport', 'Listener', [
  {
    id: 'transport/accept-is-ready',
    title: 'a message sent as soon as `accept` has resolved arrives',
    async run(context) {
      const server = await context.open();
      const client = await context.open();
      for (let round = 0; round < 10; round++) {
        const listener = await context.within(server.listen(), 'listen');
        await context.within(
          listener.accept((socket) => echo(context, socket)),
          'accept',
        );
        const socket = await dial(context, client, listener);
        assert.equal(await exchange(context, socket, `round ${round}`), `round ${round}`);
      }
    },
  },
  {
    id: 'transport/second-accept',
    title: 'a second `accept` is refused with `conflict`',
    async run(context) {
      const serving = await serve(context);
      const second = serving.listener.accept(() => assert.fail('the second handler was called'));
      await rejection(context.within(second, 'accept'), 'a second accept', 'conflict');
      const { dialled, accepted } = await connect(context, await context.open(), serving);
      await context.within(dialled.send(message('to the first')), 'send');
      assert.equal(await receiveText(context, accepted), 'to the first');
    },
  },
  {
    id: 'transport/slow-handler',
    title: 'a slow handler on one socket does not delay another',
    async run(context) {
      const slow = gate();
      const { listener } = await serveWith(context, async (socket) => {
        const first = await socket.receive();
        if (first && new TextDecoder().decode(first.body) === 'slow') await Promise.race([slow.opened, context.ended]);
        if (first) await socket.send(first);
        await echo(context, socket);
      });
      const client = await context.open();
      const held = await dial(context, client, listener);
      const free = await dial(context, client, listener);
      await context.within(held.send(message('slow')), 'send');
      for (const text of ['one', 'two', 'three']) assert.equal(await exchange(context, free, text), text);
      slow.open();
      assert.equal(await receiveText(context, held), 'slow');
    },
  },
  {
    id: 'transport/handler-settles',
    title: 'a socket closes when its handler settles',
    async run(context) {
      const sockets = context.inbox<Socket>('sockets at the listener');
      const { listener } = await serveWith(context, async (socket) => {
        await socket.receive();
        sockets.put(socket);
      });
      const dialled = await dial(context, await context.open(), listener);
      await context.within(dialled.send(message('one')), 'send');
      const accepted = await sockets.take();
      assert.equal(await context.within(accepted.closed, 'the end of the socket'), undefined);
      await rejection(context.within(accepted.send(message('late')), 'send'), 'a send after it', 'closed');
      if (context.supports.closeNotice) assert.equal(await receive(context, dialled), undefined);
    },
  },
  {
    id: 'transport/handler-throws',
    title: 'a handler that throws closes only its own socket',
    async run(context) {
      const broken = context.inbox<Socket>('sockets whose handler throws');
      let mode: 'echo' | 'throw at once' | 'throw later' = 'echo';
      const { listener } = await serveWith(context, (socket) => {
        if (mode === 'echo') return echo(context, socket);
        broken.put(socket);
        if (mode === 'throw at once') throw new Error('a handler that throws at once, on purpose');
        return socket.receive().then(() => Promise.reject(new Error('a handler that throws later, on purpose')));
      });
      const client = await context.open();
      const healthy = await dial(context, client, listener);
      assert.equal(await exchange(context, healthy, 'before'), 'before');
      for (mode of ['throw at once', 'throw later'] as const) {
        const failing = await dial(context, client, listener);
        await context.within(failing.send(message('go')), 'send');
        await context.within((await broken.take()).closed, 'the end of the socket whose handler threw');
      }
      mode = 'echo';
      assert.equal(await exchange(context, healthy, 'after'), 'after');
      assert.equal(await exchange(context, await dial(context, client, listener), 'a new one'), 'a new one');
    },
  },
  {
    id: 'transport/listener-close',
    title: 'closing a listener stops new sockets and lets open ones finish',
    async run(context) {
      const serving = await serve(context);
      const client = await context.open();
      const { dialled, accepted } = await connect(context, client, serving);
      const other = await context.within(serving.server.listen(), 'listen');
      await context.within(
        other.accept((socket) => echo(context, socket)),
        'accept',
      );
      let isClosed = false;
      const noted = serving.listener.close().then(() => {
        isClosed = true;
      });
      const closing = context.within(noted, 'close of the listener');
      // Stopping may take its time, but not for ever.
      await context.until('the listener to take no new socket', async () => {
        const late = await dial(context, client, serving.listener);
        const signal = context.deadline(300);
        const exchanged = late.send(message('too late'), { signal }).then(() => late.receive({ signal }));
        await failure(context.within(exchanged, 'the exchange of a late socket'));
        const taken = serving.sockets.items.splice(1);
        for (const socket of taken) await context.within(socket.close(), 'close of a late socket');
        return taken.length === 0;
      });
      for (const text of ['one', 'two']) {
        await context.within(dialled.send(message(text)), 'send on the open socket');
        assert.equal(await receiveText(context, accepted), text, 'the open socket is cut off');
        await context.within(accepted.send(message(text)), 'reply on the open socket');
        assert.equal(await receiveText(context, dialled), text, 'the open socket is cut off');
      }
      assert.equal(await exchange(context, await dial(context, client, other), 'other'), 'other', 'another listener');
      assert.equal(isClosed, false, 'close resolved while a handler was running');
      await context.within(accepted.close(), 'close of the accepted socket');
      await closing;
    },
  },
  {
    id: 'transport/handler-never-settles',
    title: 'a handler that never settles does not hold a close beyond its bound',
    async run(context) {
      const started = context.inbox<Socket>('handlers that never settle');
      const { server, listener } = await serveWith(context, async (socket) => {
        started.put(socket);
        await new Promise(() => {});
      });
      const client = await context.open();
      await context.within((await dial(context, client, listener)).send(message('hold')), 'send');
      const accepted = await started.take();
      await context.within(listener.close({ signal: context.expiring(200) }), 'close past its deadline');
      const cause = await context.within(listener.closed, 'the end of the listener');
      assert.equal(cause?.code, 'timeout', `closed says ${cause} of what was abandoned`);
      await context.within(accepted.closed, 'the end of the abandoned socket');
      await context.within(server.close({ signal: context.expiring(200) }), 'close of its transport');
    },
  },
]);
