import assert from 'node:assert/strict';
import { MicroError, type Socket, type Transport } from '@ts-micro/core';
import { message, textOf } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { failure, outage, refusedAsUnavailable } from '../outage.ts';
import { dial, exchange, pair, type Serving, serveEcho, type TransportContext } from './pair.ts';

export const outages: readonly ContractCase<'transport'>[] = casesOf('transport', 'Transport', [
  {
    id: 'transport/outage-listener',
    title: 'a listener is reached again after an outage',
    needs: ['faults'],
    async run(context) {
      const serving = await serveEcho(context);
      const client = await context.open();
      assert.equal(await exchange(context, await dial(context, client, serving.listener), 'before'), 'before');
      await outage(context);
      await reached(context, client, serving);
    },
  },
  {
    id: 'transport/outage-socket',
    title: 'an open socket carries messages again after an outage, or has closed with `unavailable`',
    needs: ['faults'],
    async run(context) {
      const { listener } = await serveEcho(context);
      const socket = await dial(context, await context.open(), listener);
      assert.equal(await exchange(context, socket, 'before'), 'before');
      await outage(context);
      let round = 0;
      await context.until('the socket works or has closed', async () => {
        round++;
        const error = await tried(context, socket, `after ${round}`);
        if (error === undefined) return true;
        const cause = await Promise.race([socket.closed, 'open' as const]);
        if (cause === 'open') return false;
        assert.equal(cause?.code, 'unavailable', `closed says ${cause}`);
        return true;
      });
    },
  },
  {
    id: 'transport/outage-send',
    title: 'sending during an outage rejects with `unavailable`',
    needs: ['faults'],
    async run(context) {
      const { listener } = await serveEcho(context);
      const client = await context.open();
      assert.equal(await exchange(context, await dial(context, client, listener), 'before'), 'before');
      await outage(context, () =>
        refusedAsUnavailable(context, 'a dial and a send', async () => {
          const socket = await client.dial(listener.address, { metadata: listener.metadata });
          try {
            await socket.send(message('into the dark'));
          } finally {
            await socket.close();
          }
        }),
      );
    },
  },
  {
    id: 'transport/outage-receive',
    title: 'a `receive` pending through an outage ends by its deadline at the latest',
    needs: ['faults'],
    async run(context) {
      const { dialled, accepted } = await pair(context);
      const signal = context.deadline(1000);
      const pending = [dialled, accepted].map((socket) =>
        failure(context.within(socket.receive({ signal }), 'receive')),
      );
      await outage(context, async () => {
        for (const error of await Promise.all(pending)) {
          const isFair = error === undefined || MicroError.is(error, 'timeout') || MicroError.is(error, 'unavailable');
          assert.ok(isFair, `a pending receive ended with ${error}`);
        }
      });
    },
  },
  {
    id: 'transport/outage-close',
    title: 'closing a transport during an outage does not hang',
    needs: ['faults'],
    async run(context) {
      const { client, server, dialled } = await pair(context);
      await outage(context, async () => {
        const signal = context.deadline(500);
        await context.within(
          Promise.all([client.close({ signal }), server.close({ signal })]),
          'close during an outage',
        );
        await context.within(dialled.closed, 'the end of a socket');
      });
    },
  },
  {
    id: 'transport/partition',
    title: 'a transport recovers from a cut network',
    needs: ['partition'],
    async run(context) {
      const serving = await serveEcho(context);
      const client = await context.open();
      assert.equal(await exchange(context, await dial(context, client, serving.listener), 'before'), 'before');
      await context.within(context.faults.partition?.(context.ms(500)) ?? Promise.resolve(), 'faults.partition()');
      await reached(context, client, serving);
    },
  },
]);

/** Waits until a new socket gets its echo. */
async function reached(
  context: TransportContext,
  client: Transport,
  { listener }: Pick<Serving, 'listener'>,
): Promise<void> {
  await context.until('the listener is reached', async () => {
    const options = { metadata: listener.metadata, signal: context.deadline(500) };
    const socket = await client.dial(listener.address, options);
    const error = await tried(context, socket, 'after');
    await context.within(socket.close(), 'close');
    return error === undefined;
  });
}

/** What went wrong with one exchange on a socket, if anything did. */
function tried(context: TransportContext, socket: Socket, text: string): Promise<Error | undefined> {
  const signal = context.deadline(500);
  const exchanged = async (): Promise<void> => {
    await socket.send(message(text), { signal });
    // Echoes of earlier rounds may come late.
    while (textOf(await socket.receive({ signal })) !== text);
  };
  return failure(context.within(exchanged(), 'an exchange'));
}
