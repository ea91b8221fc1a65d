import assert from 'node:assert/strict';
import { MicroError } from '@ts-micro/core';
import { assertSequence, message, rejection, textOf } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { pair, receiveText } from './pair.ts';

export const waiting: readonly ContractCase<'transport'>[] = casesOf('transport', 'Socket', [
  {
    id: 'transport/aborted-receive-loses-nothing',
    title: 'an aborted `receive` loses no message',
    async run(context) {
      const { dialled, accepted } = await pair(context);
      const texts: string[] = [];
      const received: string[] = [];
      for (let round = 0; round < 50; round++) {
        const controller = new AbortController();
        const receiving = accepted.receive({ signal: controller.signal }).then(
          (got) => received.push(textOf(got)),
          (error: unknown) => assert.ok(MicroError.is(error, 'canceled'), `rejected with ${error}`),
        );
        const pending = context.within(receiving, 'the aborted receive');
        texts.push(`round ${round}`);
        // Before, between and after: the message and the abort race each other.
        if (round % 3 === 0) controller.abort();
        await context.within(dialled.send(message(`round ${round}`)), 'send');
        if (round % 3 === 2) setImmediate(() => controller.abort());
        else controller.abort();
        await pending;
      }
      while (received.length < texts.length) received.push(await receiveText(context, accepted));
      assertSequence(received, texts, 'what was received in all');
    },
  },
  {
    id: 'transport/aborted-wait',
    title: "an aborted wait rejects with `canceled`, the signal's reason as cause",
    async run(context) {
      const { dialled, accepted } = await pair(context);
      for (const socket of [dialled, accepted]) {
        const controller = new AbortController();
        const reason = new Error('enough');
        const pending = socket.receive({ signal: controller.signal });
        controller.abort(reason);
        const error = await rejection(
          context.within(pending, 'receive'),
          'a receive aborted while waiting',
          'canceled',
        );
        assert.equal(error.cause, reason, 'the cause is the reason of the signal');
      }
      await context.within(dialled.send(message('still open')), 'send');
      assert.equal(await receiveText(context, accepted), 'still open');
    },
  },
  {
    id: 'transport/deadline',
    title: 'a wait past its deadline rejects with `timeout`',
    async run(context) {
      const { dialled, accepted } = await pair(context);
      for (const socket of [dialled, accepted]) {
        const pending = socket.receive({ signal: context.expiring(50) });
        await rejection(context.within(pending, 'receive'), 'a receive past its deadline', 'timeout');
      }
      await context.within(accepted.send(message('still open')), 'send');
      assert.equal(await receiveText(context, dialled), 'still open');
    },
  },
  {
    id: 'transport/aborted-send',
    title: 'a signal aborted before `send` sends nothing',
    async run(context) {
      const { dialled, accepted } = await pair(context);
      for (const [from, to] of [
        [dialled, accepted],
        [accepted, dialled],
      ] as const) {
        const sending = from.send(message('aborted'), { signal: AbortSignal.abort() });
        await rejection(context.within(sending, 'send'), 'a send aborted before', 'canceled');
        await context.within(from.send(message('marker')), 'send');
        assert.equal(await receiveText(context, to), 'marker', 'what was aborted was sent');
      }
    },
  },
]);
