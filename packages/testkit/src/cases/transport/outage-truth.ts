import assert from 'node:assert/strict';
import { MicroError, type Transport } from '@ts-micro/core';
import { message } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { beginToConnect, endByDeadline, failure, outage, tellsTheTruth } from '../outage.ts';
import { patientPair, reach } from './outage.ts';
import { dial, exchange, receiveText, serveEcho } from './pair.ts';

export const outageTruths: readonly ContractCase<'transport'>[] = casesOf('transport', 'Transport', [
  {
    id: 'transport/outage-retry-safe',
    title: 'what reached its peer before an outage does not fail as safe to retry',
    needs: ['faults'],
    async run(context) {
      const { dialled, accepted } = await patientPair(context);
      for (const [from, to] of [
        [dialled, accepted],
        [accepted, dialled],
      ] as const) {
        await context.within(from.send(message('it is done')), 'send');
        await receiveText(context, to);
      }
      const signal = context.deadline(1000);
      // The peer did what it was asked to; only its answer is missing.
      const answers = [dialled, accepted].map((socket) =>
        failure(context.within(socket.receive({ signal }), 'the answer')),
      );
      await outage(context, async () => {
        for (const error of await Promise.all(answers)) {
          if (error === undefined) continue;
          assert.ok(MicroError.is(error), `the answer failed with ${error}`);
          assert.equal(error.retrySafe, false, `the peer had it, and yet it failed as safe to retry: ${error.message}`);
        }
      });
    },
  },
  {
    id: 'transport/outage-is-connected',
    title: '`isConnected`, where it is known, is false during an outage and true after it',
    needs: ['faults'],
    async run(context) {
      const serving = await serveEcho(context);
      const client = await context.open();
      await tellsTheTruth(context, client, () => reach(context, client, serving));
    },
  },
  {
    id: 'transport/half-open-deadline',
    title: 'a call ends at its deadline though nobody answers',
    needs: ['halfOpen'],
    async run(context) {
      const { client, server, listener, dialled, accepted } = await patientPair(context);
      const metadata = context.settings.dialWithMetadata === false ? undefined : listener.metadata;
      await context.hooks.halfOpen();
      await endByDeadline(
        context,
        {
          'receive of the dialled socket': (options) => dialled.receive(options),
          'receive of the accepted socket': (options) => accepted.receive(options),
          'send of the dialled socket': (options) => dialled.send(message('into the void'), options),
          'send of the accepted socket': (options) => accepted.send(message('into the void'), options),
          'close of the dialled socket': (options) => dialled.close(options),
          dial: (options) => client.dial(listener.address, { ...options, metadata }),
          listen: (options) => server.listen(undefined, options),
        },
        (options) => Promise.all([client.close(options), server.close(options)]),
      );
    },
  },
  {
    id: 'transport/half-open',
    title: 'a connection that is lost without a word is found out',
    needs: ['halfOpen'],
    async run(context) {
      const serving = await serveEcho(context);
      const client = await context.open();
      await reach(context, client, serving);
      const exchanged = async (each: Transport): Promise<unknown> =>
        exchange(context, await dial(context, each, serving.listener), 'first');
      const beginning = await beginToConnect(context, exchanged);
      await context.hooks.halfOpen();
      for (const each of [client, ...beginning]) await reach(context, each, serving, context.ms(50_000));
    },
  },
]);
