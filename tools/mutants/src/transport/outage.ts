import { abortError, MicroError } from '@ts-micro/core';
import { memoryNetwork } from '@ts-micro/memory';
import { altered } from '../altered.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { never } from '../never.ts';
import { recoded } from '../recoded.ts';
import { handlers, sockets, transports } from './seams.ts';

export const outages: readonly Mutant<'transport'>[] = mutantsOf('transport', [
  {
    name: 'loses its listeners',
    breaks: 'A listener from before an outage is not reached any more.',
    caughtBy: ['outage-listener'],
    make: (world) =>
      handlers(async (socket, handler) => {
        if (world.kills === 0) await handler(socket);
        else await socket.closed;
      }),
  },
  {
    name: 'swallows after an outage',
    breaks: 'A socket from before an outage is open, and takes messages that go nowhere.',
    caughtBy: ['outage-socket'],
    make: (world) =>
      sockets((socket) => {
        const { kills } = world;
        return {
          async send(message, options) {
            if (world.kills === kills) await socket.send(message, options);
          },
        };
      }),
  },
  {
    name: 'closes at an outage without saying why',
    breaks: '`closed` of a socket that an outage ended resolves with `undefined`.',
    caughtBy: ['outage-socket'],
    make: (world) =>
      sockets((socket) => {
        const { kills } = world;
        return {
          async send(message, options) {
            if (world.kills > kills) await socket.close();
            await socket.send(message, options);
          },
        };
      }),
  },
  {
    name: 'ends quietly at the dialler',
    breaks: 'After an outage a dialled socket takes messages that go nowhere, and its `receive` gives `undefined`.',
    caughtBy: ['outage-socket', 'outage-both-sides'],
    make: (world) =>
      sockets((socket, end) => {
        const { kills } = world;
        const isOver = () => end === 'dialled' && world.kills > kills;
        return {
          async send(message, options) {
            if (!isOver()) await socket.send(message, options);
          },
          receive: async (options) => (isOver() ? undefined : socket.receive(options)),
        };
      }),
  },
  {
    name: 'forgets the served side',
    breaks: 'A socket that an outage ended at the dialler never ends at the listener.',
    caughtBy: ['outage-both-sides'],
    make: (world) =>
      sockets((socket, end) => {
        const { kills } = world;
        const isOver = () => world.kills > kills;
        if (end === 'accepted') {
          return { receive: (options) => (isOver() ? untilAborted(options?.signal) : socket.receive(options)) };
        }
        const lost = new MicroError('unavailable', 'the outage ended it');
        return {
          closed: socket.closed.then((cause) => (isOver() ? lost : cause)),
          async send(message, options) {
            if (!isOver()) return socket.send(message, options);
            await socket.close();
            throw lost;
          },
        };
      }),
  },
  {
    name: 'holds messages back',
    breaks: 'A message sent during an outage seems to have been handed over.',
    caughtBy: ['outage-send'],
    make: (world) => {
      const nowhere = world.transport(memoryNetwork());
      world.leak(() => nowhere.close());
      return transports((transport) => ({
        dial: async (address, options) =>
          world.isDown
            ? altered(await nowhere.dial(address), { send: async () => {} })
            : transport.dial(address, options),
      }));
    },
  },
  {
    name: 'calls an outage a timeout',
    breaks: 'Dialling and sending during an outage reject with `timeout`.',
    caughtBy: ['outage-send'],
    make: () =>
      transports((transport) => ({
        dial: (address, options) =>
          transport.dial(address, options).catch((error: unknown) => {
            throw MicroError.is(error, 'unavailable') ? recoded(error, 'timeout') : error;
          }),
      })),
  },
  {
    name: 'waits for a server that it never had',
    breaks: 'A first `dial` during an outage neither resolves nor rejects.',
    caughtBy: ['outage-send'],
    make: (world) =>
      transports((transport) => {
        let hasConnected = false;
        return {
          async dial(address, options) {
            if (world.isDown && !hasConnected) await never();
            const socket = await transport.dial(address, options);
            hasConnected = true;
            return socket;
          },
        };
      }),
  },
  {
    name: 'stops its clock',
    breaks: 'A `receive` pending through an outage has no deadline any more.',
    caughtBy: ['outage-receive'],
    make: (world) =>
      sockets((socket) => ({
        receive(options) {
          const { signal } = options ?? {};
          const waiting = new AbortController();
          const abort = () => {
            if (!world.isDown) waiting.abort(signal?.reason);
          };
          if (signal?.aborted) abort();
          signal?.addEventListener('abort', abort);
          return socket.receive({ signal: waiting.signal }).finally(() => signal?.removeEventListener('abort', abort));
        },
      })),
  },
  {
    name: 'ends waits oddly',
    breaks: 'A `receive` whose deadline passes during an outage rejects with `internal`.',
    caughtBy: ['outage-receive'],
    make: (world) =>
      sockets((socket) => ({
        receive: (options) =>
          socket.receive(options).catch((error: unknown) => {
            throw MicroError.is(error) && world.isDown ? recoded(error, 'internal') : error;
          }),
      })),
  },
  {
    name: 'closes when it is over',
    breaks: 'A transport closed during an outage waits for the end of it.',
    caughtBy: ['outage-close'],
    make: (world) =>
      transports((transport) => ({
        async close(options) {
          await world.whenUp();
          await transport.close(options);
        },
      })),
  },
  {
    name: 'does not notice a cut',
    breaks: 'After a cut of the network nothing is sent any more.',
    caughtBy: ['partition'],
    make: (world) =>
      sockets((socket) => ({
        async send(message, options) {
          if (world.partitions === 0) await socket.send(message, options);
        },
      })),
  },
]);

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(abortError(signal, 'a receive'));
    signal?.addEventListener('abort', () => reject(abortError(signal, 'a receive')), { once: true });
  });
}
