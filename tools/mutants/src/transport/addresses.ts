import { MicroError, type Socket } from '@ts-micro/core';
import { abortable } from '@ts-micro/kit';
import { altered } from '../altered.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { never } from '../never.ts';
import { recoded } from '../recoded.ts';
import { listeners, sockets, transports } from './seams.ts';

export const addresses: readonly Mutant<'transport'>[] = mutantsOf('transport', [
  {
    name: 'counts its own addresses',
    breaks: 'Two transports make up the same address.',
    caughtBy: ['fresh-addresses'],
    make: () =>
      transports((transport) => {
        let count = 0;
        return { listen: (address, options) => transport.listen(address ?? `listener-${++count}`, options) };
      }),
  },
  {
    name: 'does not reach itself',
    breaks: 'Dialling a listener of the same transport reaches nobody.',
    caughtBy: ['fresh-addresses'],
    make: () =>
      transports((transport) => {
        const own = new Set<string>();
        return {
          dial: (address, options) => transport.dial(own.has(address) ? `not-${address}` : address, options),
          async listen(address, options) {
            const listener = await transport.listen(address, options);
            own.add(listener.address);
            return listener;
          },
        };
      }),
  },
  {
    name: 'has one handler',
    breaks: 'All listeners of a transport hand their sockets to the handler that was given last.',
    caughtBy: ['fresh-addresses'],
    make: () => (transport) => {
      let last: ((socket: Socket) => void | Promise<void>) | undefined;
      return listeners((listener) => ({
        accept(handler, options) {
          last = handler;
          return listener.accept((socket) => last?.(socket), options);
        },
      }))(transport);
    },
  },
  {
    name: 'says nothing of its address',
    breaks: 'The address of a listener is empty.',
    caughtBy: ['fresh-addresses'],
    make: () =>
      transports((transport) => ({
        listen: async (address, options) => altered(await transport.listen(address, options), { address: '' }),
      })),
  },
  {
    name: 'ignores the address',
    breaks: 'A listener on a given address has one made up.',
    caughtBy: ['named-address'],
    make: () => transports((transport) => ({ listen: (_, options) => transport.listen(undefined, options) })),
  },
  {
    name: 'listens elsewhere',
    breaks: 'A listener says the address it was given, and has another.',
    caughtBy: ['named-address'],
    make: () =>
      transports((transport) => ({
        async listen(address, options) {
          const listener = await transport.listen(address && `prefix-${address}`, options);
          return altered(listener, { address: address ?? listener.address });
        },
      })),
  },
  {
    name: 'keeps the address',
    breaks: 'The address of a closed listener stays in use.',
    caughtBy: ['named-address'],
    make: () => {
      const used = new Set<string>();
      return transports((transport) => ({
        async listen(address, options) {
          if (address !== undefined && used.has(address)) throw new MicroError('conflict', `${address} is in use`);
          const listener = await transport.listen(address, options);
          used.add(listener.address);
          return listener;
        },
      }));
    },
  },
  {
    name: 'dials anything',
    breaks: 'Dialling an address that cannot be one is not refused.',
    caughtBy: ['invalid-address'],
    make: () => transports((transport) => ({ dial: (address, options) => transport.dial(escaped(address), options) })),
  },
  {
    name: 'listens anywhere',
    breaks: 'Listening on an address that cannot be one is not refused.',
    caughtBy: ['invalid-address'],
    make: () =>
      transports((transport) => ({
        listen: (address, options) => transport.listen(address === undefined ? undefined : escaped(address), options),
      })),
  },
  {
    name: 'calls nobody not found',
    breaks: 'An exchange where nobody listens fails with `not_found`.',
    caughtBy: ['nobody-listens'],
    make: () => unreachable((error) => Promise.reject(recoded(error, 'not_found'))),
  },
  {
    name: 'is unsure of nobody',
    breaks: 'An exchange where nobody listens is not safe to retry.',
    caughtBy: ['nobody-listens'],
    make: () => unreachable((error) => Promise.reject(new MicroError(error.code, error.message))),
  },
  {
    name: 'waits for nobody',
    breaks: 'An exchange where nobody listens runs to its deadline.',
    caughtBy: ['nobody-listens'],
    make: () =>
      sockets((socket) => {
        let isUnheard = false;
        return {
          async send(message, options) {
            await socket.send(message, options).catch(() => {
              isUnheard = true;
            });
          },
          receive: (options) =>
            isUnheard ? abortable(never(), options?.signal, 'the answer of nobody') : socket.receive(options),
        };
      }),
  },
  {
    name: 'tries nobody again',
    breaks: 'A socket that reached nobody takes a second message.',
    caughtBy: ['nobody-listens'],
    make: () => {
      const failed = new Set<string>();
      return unreachable((error, name) => {
        if (failed.has(name)) return Promise.resolve();
        failed.add(name);
        return Promise.reject(error);
      });
    },
  },
  {
    name: 'leaves sockets open',
    breaks: 'Closing a transport leaves its sockets open.',
    caughtBy: ['close-closes-all'],
    make: (world) =>
      transports((transport) => {
        const other = world.transport();
        world.leak(() => other.close({ signal: AbortSignal.abort() }));
        return { dial: async (...values) => (await transport.dial(...values)) && other.dial(...values) };
      }),
  },
  {
    name: 'leaves listeners open',
    breaks: 'Closing a transport leaves its listeners open.',
    caughtBy: ['close-closes-all'],
    make: (world) =>
      transports((transport) => {
        const other = world.transport();
        world.leak(() => other.close({ signal: AbortSignal.abort() }));
        let isClosed = false;
        return {
          listen: (...values) => (isClosed ? transport : other).listen(...values),
          close(options) {
            isClosed = true;
            return transport.close(options);
          },
        };
      }),
  },
]);

function escaped(address: string): string {
  return encodeURIComponent(address) || 'empty';
}

/** Breaks what comes of a `send` that reaches nobody; `name` tells sockets apart. */
function unreachable(fail: (error: MicroError, name: string) => Promise<void>): ReturnType<typeof sockets> {
  return sockets((socket) => ({
    send: (message, options) =>
      socket.send(message, options).catch((error: unknown) => {
        if (MicroError.is(error, 'unavailable')) return fail(error, socket.local);
        throw error;
      }),
  }));
}
