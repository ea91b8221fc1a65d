import assert from 'node:assert/strict';
import { type Listener, MicroError, type Socket, type Transport } from '@ts-micro/core';
import { message, rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { dial, echo, exchange, pair, serveWith, type TransportContext } from './pair.ts';

export const addresses: readonly ContractCase<'transport'>[] = casesOf('transport', 'Transport', [
  {
    id: 'transport/fresh-addresses',
    title: 'listening without an address makes up a fresh one each time',
    async run(context) {
      const transports = [await context.open(), await context.open()];
      const listeners: Listener[] = [];
      for (const transport of transports)
        for (let round = 0; round < 5; round++) listeners.push(await context.within(transport.listen(), 'listen'));
      for (const { address } of listeners) assert.ok(address.length > 0, 'the address is empty');
      assert.equal(new Set(listeners.map(({ address }) => address)).size, 10, 'an address was given out twice');
      for (const listener of listeners) {
        const handler = (socket: Socket) => answer(socket, listener.address);
        await context.within(listener.accept(handler), 'accept');
      }
      // A transport reaches its own listeners like those of others.
      for (const transport of transports) {
        for (const listener of listeners) {
          const socket = await dial(context, transport, listener);
          assert.equal(await exchange(context, socket, 'who is there?'), listener.address, 'another listener answers');
        }
      }
    },
  },
  {
    id: 'transport/named-address',
    title: 'listening on a given address serves that address',
    needs: ['namedAddresses'],
    async run(context) {
      const address = givenAddress(context);
      const server = await context.open();
      const client = await context.open();
      // The second time, the address has been given back.
      for (const text of ['first', 'second']) {
        const listener = await context.within(server.listen(address), 'listen');
        assert.equal(listener.address, address);
        await context.within(
          listener.accept((socket) => answer(socket, text)),
          'accept',
        );
        assert.equal(await exchange(context, await dial(context, client, listener), 'ping'), text);
        await context.within(listener.close(), 'close of the listener');
      }
    },
  },
  {
    id: 'transport/address-taken',
    title: 'listening on an address that is served already is refused with `conflict`, or shares it',
    needs: ['namedAddresses'],
    async run(context) {
      const address = givenAddress(context);
      const [server, client] = [await context.open(), await context.open()];
      const handler = (socket: Socket) => echo(context, socket);
      const first = await context.within(server.listen(address), 'listen');
      await context.within(first.accept(handler), 'accept');
      try {
        const second = await context.within(server.listen(address), 'listen again');
        await context.within(second.accept(handler), 'accept again');
      } catch (error) {
        assert.ok(MicroError.is(error, 'conflict'), `refused with ${error}`);
      }
      for (let round = 0; round < 10; round++) {
        const socket = await dial(context, client, first);
        for (const text of ['one', 'two'])
          assert.equal(await exchange(context, socket, `${text} ${round}`), `${text} ${round}`);
        await context.within(socket.close(), 'close');
      }
      const isOpen = {};
      assert.equal(await Promise.race([first.closed, Promise.resolve(isOpen)]), isOpen, 'the first listener has ended');
    },
  },
  {
    id: 'transport/invalid-address',
    title: 'an address that cannot be one is refused with `invalid`',
    async run(context) {
      const transport = await context.open();
      for (const address of ['', 'a b', 'a\r\nb']) {
        const what = JSON.stringify(address);
        await rejection(context.within(transport.dial(address), 'dial'), `dialling ${what}`, 'invalid');
        if (!context.supports.namedAddresses) continue;
        await rejection(context.within(transport.listen(address), 'listen'), `listening on ${what}`, 'invalid');
      }
    },
  },
  {
    id: 'transport/nobody-listens',
    title: 'dialling an address where nobody listens fails its first exchange with `unavailable`, safe to retry',
    needs: ['failFast'],
    async run(context) {
      const { client, address } = await deserted(context);
      await context.until('an exchange with nobody', async () => {
        const socket = await context.within(client.dial(address), 'dial');
        const error = await firstExchange(context, socket);
        // What says that the listener has gone may still be on its way.
        if (error.code === 'timeout') return false;
        assert.equal(error.code, 'unavailable', `failed with ${error.code}: ${error.message}`);
        assert.equal(error.retrySafe, true, 'nobody was there, so trying again is safe');
        const cause = await context.within(socket.closed, 'the end of the socket');
        assert.equal(cause?.code, 'unavailable', `closed says ${cause}`);
        const again = context.within(socket.send(message('again')), 'send');
        await rejection(again, 'a send after it', 'unavailable', 'closed');
        return true;
      });
    },
  },
  {
    id: 'transport/close-closes-all',
    title: 'closing a transport closes its listeners and sockets',
    async run(context) {
      const { server, client, listener, dialled, accepted } = await pair(context);
      await context.within(client.close(), 'close of the dialling transport');
      await context.within(dialled.closed, 'the end of its socket');
      await rejection(context.within(dialled.send(message('late')), 'send'), 'its socket', 'closed');
      // Its handler is still at work: the deadline is what ends that.
      await context.within(server.close({ signal: context.expiring(200) }), 'close of the listening transport');
      await context.within(listener.closed, 'the end of its listener');
      await context.within(accepted.closed, 'the end of its socket');
      await rejection(context.within(accepted.receive(), 'receive'), 'its socket', 'closed');
      await rejection(
        context.within(
          listener.accept(() => {}),
          'accept',
        ),
        'its listener',
        'closed',
      );
    },
  },
]);

export function givenAddress(context: TransportContext): string {
  const id = context.unique('address');
  return context.settings.address?.(id.replaceAll('-', '')) ?? id;
}

/** Answers one message. */
async function answer(socket: Socket, text: string): Promise<void> {
  if (await socket.receive()) await socket.send(message(text));
}

/** An address that was served a moment ago and is not any more. */
export async function deserted(context: TransportContext): Promise<{ client: Transport; address: string }> {
  const { server, listener } = await serveWith(context, async (socket) => {
    const received = await socket.receive();
    if (received) await socket.send(received);
  });
  const client = await context.open();
  await exchange(context, await dial(context, client, listener), 'ping');
  await context.within(server.close(), 'close of the listening transport');
  return { client, address: listener.address };
}

/** Why the first exchange failed, be it at `send` or at `receive`. */
export async function firstExchange(context: TransportContext, socket: Socket): Promise<MicroError> {
  try {
    const signal = context.deadline(500);
    await context.within(socket.send(message('anybody?'), { signal }), 'send');
    const reply = await context.within(socket.receive({ signal }), 'receive');
    assert.fail(`nobody listens, and yet ${JSON.stringify(reply)} came`);
  } catch (error) {
    if (MicroError.is(error)) return error;
    throw error;
  }
}
