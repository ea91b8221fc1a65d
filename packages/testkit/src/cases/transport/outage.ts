import assert from 'node:assert/strict';
import { MicroError, type Socket, type Transport } from '@ts-micro/core';
import { message, textOf } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { failure, outage, refusedAsUnavailable } from '../outage.ts';
import { connect, dial, echo, type Pair, type Serving, serve, serveEcho, type TransportContext } from './pair.ts';

export const outages: readonly ContractCase<'transport'>[] = casesOf('transport', 'Transport', [
  {
    id: 'transport/outage-listener',
    title: 'a listener is reached again after an outage',
    needs: ['faults'],
    async run(context) {
      const serving = await serveEcho(context);
      const client = await context.open();
      await reach(context, client, serving);
      await outage(context);
      await reach(context, client, serving);
    },
  },
  {
    id: 'transport/outage-socket',
    title: 'an open socket carries messages again after an outage, or has closed with `unavailable`',
    needs: ['faults'],
    async run(context) {
      const serving = await serveEcho(context);
      const socket = await reach(context, await context.open(), serving);
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
    id: 'transport/outage-both-sides',
    title: 'after an outage a socket works, or has failed, on both sides where closes are told',
    needs: ['faults'],
    async run(context) {
      const { dialled, accepted } = await patientPair(context);
      await outage(context);
      let round = 0;
      await context.until('both sides work, or both have failed', async () => {
        const text = `after ${++round}`;
        if ((await carries(context, dialled, accepted, text)) && (await carries(context, accepted, dialled, text)))
          return true;
        // Of an end that is not told to the other side only this one can know.
        const isTold = context.supports.closeNotice;
        return (await hasEnded(context, dialled)) && (!isTold || (await hasEnded(context, accepted)));
      });
    },
  },
  {
    id: 'transport/outage-send',
    title: 'sending during an outage rejects with `unavailable`',
    needs: ['faults'],
    async run(context) {
      const serving = await serveEcho(context);
      const [client, cold] = [await context.open(), await context.open()];
      await reach(context, client, serving);
      const dialAndSend = async (transport: Transport): Promise<void> => {
        const socket = await dial(context, transport, serving.listener);
        try {
          await socket.send(message('into the dark'));
        } finally {
          await socket.close();
        }
      };
      await outage(context, async () => {
        await refusedAsUnavailable(context, 'a dial and a send', () => dialAndSend(client));
        // Where a transport connects with its first call, this is the first of this one.
        await refusedAsUnavailable(context, 'a first dial and send', () => dialAndSend(cold));
      });
    },
  },
  {
    id: 'transport/outage-receive',
    title: 'a `receive` pending through an outage ends by its deadline at the latest',
    needs: ['faults'],
    async run(context) {
      const { dialled, accepted } = await patientPair(context);
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
      const { client, server, dialled } = await patientPair(context);
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
      await reach(context, client, serving);
      await context.within(context.faults.partition?.(context.ms(500)) ?? Promise.resolve(), 'faults.partition()');
      await reach(context, client, serving);
    },
  },
]);

/**
 * A new socket that got its echo, tried until one does: the nodes of a cluster come back, and learn of a listener, each
 * in its own time.
 */
export async function reach(
  context: TransportContext,
  client: Transport,
  { listener }: Pick<Serving, 'listener'>,
  ms?: number,
): Promise<Socket> {
  const sockets: Socket[] = [];
  const attempt = async (): Promise<boolean> => {
    const socket = await dial(context, client, listener, context.deadline(500)).catch(() => undefined);
    if (socket === undefined) return false;
    sockets.push(socket);
    if ((await tried(context, socket, 'hello')) === undefined) return true;
    await context.within(socket.close(), 'close');
    return false;
  };
  await context.until('the listener is reached', attempt, ms);
  return sockets.at(-1) as Socket;
}

/**
 * A pair, made once a listener that came after its own is reached: what a node learns of one transport it learns in
 * order.
 */
export async function patientPair(context: TransportContext): Promise<Pair> {
  const serving = await serve(context);
  const listener = await context.within(serving.server.listen(), 'listen');
  await context.within(
    listener.accept((socket) => echo(context, socket)),
    'accept',
  );
  const client = await context.open();
  await reach(context, client, { listener });
  return { ...serving, client, ...(await connect(context, client, serving)) };
}

/** Tries one exchange on a socket. Returns the error, if there was one. */
function tried(context: TransportContext, socket: Socket, text: string): Promise<Error | undefined> {
  const signal = context.deadline(500);
  const exchanged = async (): Promise<void> => {
    await socket.send(message(text), { signal });
    await receiveUntil(socket, text, signal);
  };
  return failure(context.within(exchanged(), 'an exchange'));
}

/** Whether a message goes from one side to the other. */
async function carries(context: TransportContext, from: Socket, to: Socket, text: string): Promise<boolean> {
  const signal = context.deadline(500);
  const carried = async (): Promise<void> => {
    await from.send(message(text), { signal });
    await receiveUntil(to, text, signal);
  };
  return (await failure(context.within(carried(), 'a message'))) === undefined;
}

/**
 * Receives until `text` comes: messages of earlier rounds may come late. Rejects where the peer has ended, and never
 * waits without the event loop.
 */
async function receiveUntil(socket: Socket, text: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const received = await socket.receive({ signal });
    if (received === undefined) throw new Error('the socket has ended');
    if (textOf(received) === text) return;
  }
}

/** Whether a side knows that nothing comes any more: it has closed, or its `receive` says so. */
async function hasEnded(context: TransportContext, socket: Socket): Promise<boolean> {
  const open = {};
  if ((await Promise.race([socket.closed, Promise.resolve(open)])) !== open) return true;
  const signal = context.deadline(500);
  try {
    return (await context.within(socket.receive({ signal }), 'a receive')) === undefined;
  } catch (error) {
    return MicroError.is(error) && error.code !== 'timeout';
  }
}
