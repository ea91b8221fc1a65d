import assert from 'node:assert/strict';
import { assertError, assertMessage, assertSequence, message, numbers, rejection, textOf } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { badHeaders } from '../odd-messages.ts';
import { connect, pair, receive, receiveText, receiveTexts, sendTexts } from './pair.ts';

export const socket: readonly ContractCase<'transport'>[] = casesOf('transport', 'Socket', [
  {
    id: 'transport/local-and-remote',
    title: '`local` and `remote` name the two ends',
    async run(context) {
      const { listener, dialled, accepted } = await pair(context);
      assert.equal(dialled.remote, listener.address, 'remote of the dialled socket');
      assert.equal(accepted.local, listener.address, 'local of the accepted socket');
      assert.equal(accepted.remote, dialled.local, 'remote of the accepted socket is local of the dialled one');
      assert.notEqual(dialled.local, dialled.remote);
    },
  },
  {
    id: 'transport/bad-headers',
    title: 'a header that breaks the rules is refused with `invalid` and the socket stays usable',
    async run(context) {
      const { dialled, accepted } = await pair(context);
      for (const [from, to] of [
        [dialled, accepted],
        [accepted, dialled],
      ] as const) {
        for (const [what, headers] of badHeaders)
          await rejection(context.within(from.send(message('bad', { ...headers })), 'send'), what, 'invalid');
        await context.within(from.send(message('good', { fine: 'x' })), 'a send after them');
        assertMessage(await receive(context, to), message('good', { fine: 'x' }), 'after what was refused');
      }
    },
  },
  {
    id: 'transport/sender-changes-later',
    title: 'what the sender changes after `send` does not change what arrives',
    async run(context) {
      const { dialled, accepted } = await pair(context);
      for (const [from, to] of [
        [dialled, accepted],
        [accepted, dialled],
      ] as const) {
        const headers: Record<string, string> = { state: 'as sent' };
        const body = new TextEncoder().encode('as sent');
        await context.within(from.send({ headers, body }), 'send');
        body.fill(0x58);
        headers.state = 'changed';
        headers.added = 'later';
        assertMessage(await receive(context, to), message('as sent', { state: 'as sent' }), 'at the peer');
      }
    },
  },
  {
    id: 'transport/receiver-changes',
    title: 'what the receiver changes does not change what the sender holds',
    async run(context) {
      const { dialled, accepted } = await pair(context);
      const headers = { state: 'as sent' };
      const body = new TextEncoder().encode('as sent');
      await context.within(dialled.send({ headers, body }), 'send');
      const received = await receive(context, accepted);
      assert.ok(received);
      received.body.fill(0x58);
      Reflect.set(received.headers, 'state', 'changed');
      assertMessage({ headers, body }, message('as sent', { state: 'as sent' }), 'in the hands of the sender');
    },
  },
  {
    id: 'transport/receive-now',
    title: '`receiveNow`, where there is one, takes what the next `receive` would',
    async run(context) {
      const { dialled, accepted } = await pair(context);
      for (const [from, to] of [
        [dialled, accepted],
        [accepted, dialled],
      ] as const) {
        if (!to.receiveNow) continue;
        const first = receiveText(context, to);
        assert.equal(to.receiveNow(), undefined, 'receiveNow where nothing waits');
        const texts = numbers(100);
        await sendTexts(context, from, texts);
        const received = [await first];
        while (received.length < texts.length) {
          // What waits comes by either, in turns.
          const now = received.length % 3 === 0 ? undefined : to.receiveNow();
          received.push(now ? textOf(now) : await receiveText(context, to));
        }
        assertSequence(received, texts, 'by receive and receiveNow in turns');
        assert.equal(to.receiveNow(), undefined, 'receiveNow once all was received');
      }
      await context.within(accepted.close(), 'close');
      assert.equal(accepted.receiveNow?.(), undefined, 'receiveNow after a close');
    },
  },
  {
    id: 'transport/close-notice',
    title: "the peer's `receive` gives `undefined` after a close",
    needs: ['closeNotice'],
    async run(context) {
      const first = await pair(context);
      const atListener = receive(context, first.accepted);
      await context.within(first.dialled.close(), 'close');
      assert.equal(await atListener, undefined, 'a receive that was pending at the listener');
      assert.equal(await receive(context, first.accepted), undefined, 'the next one');
      const second = await pair(context);
      const atDialler = receive(context, second.dialled);
      await context.within(second.accepted.close(), 'close');
      assert.equal(await atDialler, undefined, 'a receive that was pending at the dialler');
      assert.equal(await receive(context, second.dialled), undefined, 'the next one');
    },
  },
  {
    id: 'transport/sent-before-close',
    title: 'what was sent before a close arrives before its end',
    async run(context) {
      for (const [from, to] of [
        ['dialled', 'accepted'],
        ['accepted', 'dialled'],
      ] as const) {
        const sockets = await pair(context);
        const texts = Array.from({ length: 50 }, (_, index) => `${from} ${index}`);
        await sendTexts(context, sockets[from], texts);
        await context.within(sockets[from].close(), 'close');
        assert.deepEqual(await receiveTexts(context, sockets[to], texts.length), texts);
        if (context.supports.closeNotice) assert.equal(await receive(context, sockets[to]), undefined, 'the end');
      }
    },
  },
  {
    id: 'transport/close-ends-receive',
    title: 'closing ends a pending `receive` with `undefined`',
    async run(context) {
      const { dialled, accepted } = await pair(context);
      for (const end of [dialled, accepted]) {
        const pending = [receive(context, end), receive(context, end)];
        await context.within(end.close(), 'close');
        assert.deepEqual(await Promise.all(pending), [undefined, undefined]);
        await rejection(context.within(end.receive(), 'receive'), 'a receive after it', 'closed');
      }
    },
  },
  {
    id: 'transport/close-ends-send',
    title: 'closing ends a pending `send`',
    async run(context) {
      for (const name of ['dialled', 'accepted'] as const) {
        const { [name]: end } = await pair(context);
        // More than many a backend holds for a peer that receives nothing: the last of them wait for room.
        const sends = Array.from({ length: 3000 }, () => end.send(message('unread')));
        const settled = context.within(Promise.allSettled(sends), 'the sends that were pending');
        await context.within(end.close(), 'close');
        for (const result of await settled)
          if (result.status === 'rejected') assertError(result.reason, 'a send that was pending', 'closed');
      }
    },
  },
  {
    id: 'transport/concurrent-receives',
    title: 'concurrent receives get one message each',
    async run(context) {
      const { dialled, accepted } = await pair(context);
      const pending = Array.from({ length: 20 }, () => context.later(receiveText(context, accepted)));
      const texts = pending.map((_, index) => `number ${index}`);
      await sendTexts(context, dialled, texts);
      assert.deepEqual((await Promise.all(pending)).sort(), [...texts].sort());
    },
  },
  {
    id: 'transport/unread-socket',
    title: 'a socket that nobody reads does not delay another',
    async run(context) {
      const first = await pair(context);
      const second = await connect(context, first.client, first);
      const sends = Array.from({ length: 500 }, () => first.dialled.send(message('unread')));
      const replies = Array.from({ length: 500 }, () => first.accepted.send(message('unread')));
      await context.within(Promise.all([...sends, ...replies]), 'sending to those who do not read');
      await context.within(second.dialled.send(message('read')), 'send');
      assert.equal(await receiveText(context, second.accepted), 'read');
      await context.within(second.accepted.send(message('answered')), 'send');
      assert.equal(await receiveText(context, second.dialled), 'answered');
    },
  },
  {
    id: 'transport/for-await',
    title: '`for await` yields each message until the peer closes',
    needs: ['closeNotice'],
    async run(context) {
      const { dialled, accepted } = await pair(context);
      const texts = ['one', 'two', 'three'];
      await sendTexts(context, dialled, texts);
      await context.within(dialled.close(), 'close');
      const received: string[] = [];
      const reading = (async () => {
        for await (const { body } of accepted) received.push(new TextDecoder().decode(body));
      })();
      await context.within(reading, 'the end of the loop');
      assert.deepEqual(received, texts);
    },
  },
]);
