import assert from 'node:assert/strict';
import { rejection } from '../../assertions.ts';
import type { Refusals } from '../../needs.ts';
import { largestBodyBytes } from '../../needs.ts';
import { largeMessage } from '../odd-messages.ts';
import { deserted, firstExchange, givenAddress } from './addresses.ts';
import { assertBothWays, pair } from './pair.ts';

export const transportRefusals: Refusals<'transport'> = {
  async namedAddresses(context) {
    const transport = await context.open();
    const listening = transport.listen(givenAddress(context));
    await rejection(context.within(listening, 'listen'), 'listening on a given address', 'unsupported');
  },
  async closeNotice(context) {
    const { dialled, accepted } = await pair(context);
    await context.within(dialled.close(), 'close');
    const waiting = accepted.receive({ signal: context.deadline(300) });
    await rejection(context.within(waiting, 'receive'), 'a receive after the peer closed', 'timeout');
  },
  async failFast(context) {
    const { client, address } = await deserted(context);
    const error = await firstExchange(context, await context.within(client.dial(address), 'dial'));
    assert.equal(error.code, 'timeout', `an exchange with nobody failed with ${error.code}: ${error.message}`);
  },
  async bodyLimit(context) {
    await assertBothWays(context, await pair(context), largeMessage(largestBodyBytes));
  },
};
