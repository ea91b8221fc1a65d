import assert from 'node:assert/strict';
import { message, rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { largestBodyBytes } from '../../needs.ts';
import { emptyMessage, largeMessage, manyHeaders, oddHeaders, prototypeHeaders } from '../odd-messages.ts';
import { assertBothWays, pair, receiveText } from './pair.ts';

export const content: readonly ContractCase<'transport'>[] = casesOf('transport', 'Transport', [
  {
    id: 'transport/empty-message',
    title: 'an empty body and no headers arrive as such',
    async run(context) {
      const sockets = await pair(context);
      await assertBothWays(context, sockets, emptyMessage());
      await assertBothWays(context, sockets, message('', { only: 'headers' }));
      await assertBothWays(context, sockets, message('only a body'));
    },
  },
  {
    id: 'transport/odd-headers',
    title: 'header values arrive unchanged when empty or unicode, and names keep their case',
    async run(context) {
      await assertBothWays(context, await pair(context), oddHeaders());
    },
  },
  {
    id: 'transport/many-headers',
    title: 'a hundred headers arrive',
    async run(context) {
      await assertBothWays(context, await pair(context), manyHeaders());
    },
  },
  {
    id: 'transport/prototype-headers',
    title: 'header names `__proto__` and `constructor` are plain headers',
    async run(context) {
      await assertBothWays(context, await pair(context), prototypeHeaders());
    },
  },
  {
    id: 'transport/largest-body',
    title: 'a body of `maxBodyBytes` goes through',
    async run(context) {
      const size = Math.min(context.supports.maxBodyBytes, largestBodyBytes);
      await assertBothWays(context, await pair(context), largeMessage(size));
    },
  },
  {
    id: 'transport/too-large',
    title: 'a body too large is refused with `too_large` and the socket stays usable',
    needs: ['bodyLimit'],
    async run(context) {
      const { dialled, accepted } = await pair(context);
      const tooLarge = largeMessage(2 * context.supports.maxBodyBytes + 65_536);
      for (const [from, to] of [
        [dialled, accepted],
        [accepted, dialled],
      ] as const) {
        await rejection(context.within(from.send(tooLarge), 'send'), 'a body too large', 'too_large');
        await context.within(from.send(message('after')), 'a send after it');
        assert.equal(await receiveText(context, to), 'after');
      }
    },
  },
]);
