import assert from 'node:assert/strict';
import { assertMessage, assertSequence, message, numbers } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { rawMessage } from '../odd-messages.ts';
import { connect, pair, receive, receiveText, receiveTexts, sendTexts } from './pair.ts';

export const delivery: readonly ContractCase<'transport'>[] = casesOf('transport', 'Transport', [
  {
    id: 'transport/message-unchanged',
    title: "a message reaches the listener's handler with headers and bytes unchanged",
    async run(context) {
      const { dialled, accepted } = await pair(context);
      const sent = rawMessage();
      await context.within(dialled.send(sent), 'send');
      assertMessage(await receive(context, accepted), rawMessage(), 'at the listener');
      assertMessage(sent, rawMessage(), 'the message that was sent, in the hands of its sender');
    },
  },
  {
    id: 'transport/reply-unchanged',
    title: 'a reply reaches the dialler with headers and bytes unchanged',
    async run(context) {
      const { dialled, accepted } = await pair(context);
      const sent = rawMessage();
      await context.within(accepted.send(sent), 'send');
      assertMessage(await receive(context, dialled), rawMessage(), 'at the dialler');
      assertMessage(sent, rawMessage(), 'the reply that was sent, in the hands of its sender');
    },
  },
  {
    id: 'transport/burst-to-listener-in-order',
    title: 'a thousand messages in a burst arrive in order at the listener',
    async run(context) {
      const { dialled, accepted } = await pair(context);
      const texts = numbers(1000);
      const received = receiveTexts(context, accepted, texts.length);
      await Promise.all([sendTexts(context, dialled, texts), received]);
      assertSequence(await received, texts, 'at the listener');
      await context.within(dialled.send(message('after')), 'send');
      assert.equal(await receiveText(context, accepted), 'after', 'something came twice');
    },
  },
  {
    id: 'transport/burst-to-dialler-in-order',
    title: 'a thousand messages in a burst arrive in order at the dialler',
    async run(context) {
      const { dialled, accepted } = await pair(context);
      const texts = numbers(1000);
      // Nobody receives yet: a burst waits for its reader.
      await sendTexts(context, accepted, texts);
      assertSequence(await receiveTexts(context, dialled, texts.length), texts, 'at the dialler');
      await context.within(accepted.send(message('after')), 'send');
      assert.equal(await receiveText(context, dialled), 'after', 'something came twice');
    },
  },
  {
    id: 'transport/sockets-never-mix',
    title: 'two sockets to one listener never mix their messages',
    async run(context) {
      const first = await pair(context);
      const elsewhere = await context.open();
      const pairs = [
        first,
        await connect(context, first.client, first),
        await connect(context, elsewhere, first),
      ] as const;
      const texts = pairs.map((_, index) => numbers(100).map((number) => `socket ${index}, ${number}`));
      for (const [from, to] of [
        ['dialled', 'accepted'],
        ['accepted', 'dialled'],
      ] as const) {
        const sends: Promise<void>[] = [];
        // Turn by turn, so that a backend that mixes has something to mix.
        for (let turn = 0; turn < 100; turn++)
          for (const [index, sockets] of pairs.entries())
            sends.push(sockets[from].send(message(texts[index]?.[turn] ?? '')));
        await context.within(Promise.all(sends), 'sending on three sockets');
        for (const [index, sockets] of pairs.entries())
          assertSequence(await receiveTexts(context, sockets[to], 100), texts[index] ?? [], `${to} of socket ${index}`);
      }
    },
  },
  {
    id: 'transport/both-sides-at-once',
    title: 'both sides send at once and each receives all',
    async run(context) {
      const { dialled, accepted } = await pair(context);
      const texts = numbers(300);
      const [atListener, atDialler] = await Promise.all([
        receiveTexts(context, accepted, texts.length),
        receiveTexts(context, dialled, texts.length),
        sendTexts(context, dialled, texts),
        sendTexts(context, accepted, texts),
      ]);
      assertSequence(atListener, texts, 'at the listener');
      assertSequence(atDialler, texts, 'at the dialler');
    },
  },
]);
