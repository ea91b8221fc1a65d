import { MicroError } from '@ts-micro/core';
import { connectednessMutants } from '../connectedness.ts';
import { handshake } from '../handshake.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { never } from '../never.ts';
import { recoded } from '../recoded.ts';
import { handlers, sends, sockets, transports } from './seams.ts';

export const hostile: readonly Mutant<'transport'>[] = [
  ...connectednessMutants('transport'),
  ...mutantsOf('transport', [
    {
      name: 'keeps eight headers',
      breaks: 'The headers of a message beyond the eighth do not arrive.',
      caughtBy: ['many-headers'],
      make: () => sends((message) => ({ ...message, headers: first(message.headers, 8) })),
    },
    {
      name: 'keeps ninety-nine headers of a reply',
      breaks: 'The hundredth header of a reply does not arrive.',
      caughtBy: ['many-headers'],
      make: () => sends((message) => ({ ...message, headers: first(message.headers, 99) }), 'accepted'),
    },
    {
      name: 'takes an address over',
      breaks: 'Listening on an address that is served ends the listener that serves it.',
      caughtBy: ['address-taken'],
      make: () =>
        transports((transport) => {
          const serving = new Map<string, () => Promise<void>>();
          return {
            async listen(address, options) {
              if (address !== undefined) await serving.get(address)?.();
              const listener = await transport.listen(address, options);
              serving.set(listener.address, () => listener.close({ signal: AbortSignal.abort() }));
              return listener;
            },
          };
        }),
    },
    {
      name: 'calls a taken address an outage',
      breaks: 'Listening on an address that is served is refused with `unavailable`.',
      caughtBy: ['address-taken'],
      make: () =>
        transports((transport) => ({
          listen: (address, options) =>
            transport.listen(address, options).catch((error: unknown) => {
              throw MicroError.is(error, 'conflict') ? recoded(error, 'unavailable') : error;
            }),
        })),
    },
    {
      name: 'promises that nothing was sent',
      breaks: 'What an outage cuts off from its answer fails as safe to retry, though the peer has had it.',
      caughtBy: ['outage-retry-safe'],
      make: (world) =>
        sockets((socket) => ({
          receive: (options) =>
            socket.receive(options).catch((error: unknown) => {
              if (!MicroError.is(error) || !world.isDown) throw error;
              throw new MicroError('unavailable', 'the connection was lost', { retrySafe: true });
            }),
        })),
    },
    {
      name: 'promises it to the listener',
      breaks: 'What a served socket sent before an outage fails as safe to retry.',
      caughtBy: ['outage-retry-safe'],
      make: (world) =>
        sockets((socket, end) => ({
          receive: (options) =>
            socket.receive(options).catch((error: unknown) => {
              if (!MicroError.is(error) || !world.isDown || end === 'dialled') throw error;
              throw new MicroError(error.code, error.message, { retrySafe: true });
            }),
        })),
    },
    {
      name: 'waits for a handshake on a silent link',
      breaks: 'A transport whose link was lost without a word while it connected dials nobody any more.',
      caughtBy: ['half-open'],
      make: (world) =>
        transports((transport) => {
          const connected = handshake(world);
          return {
            async dial(address, options) {
              await connected();
              return transport.dial(address, options);
            },
          };
        }),
    },
    {
      name: 'sends into a silent link',
      breaks: 'What is sent over a link that was lost without a word is lost for good.',
      caughtBy: ['half-open'],
      make: (world) =>
        sockets((socket) => ({
          async send(message, options) {
            if (world.halfOpens === 0) await socket.send(message, options);
          },
        })),
    },
    {
      name: 'listens on a silent link',
      breaks: 'A listener whose link was lost without a word is never reached again.',
      caughtBy: ['half-open'],
      make: (world) =>
        handlers(async (socket, handler) => {
          if (world.halfOpens === 0) await handler(socket);
          else await socket.closed;
        }),
    },
    {
      name: 'stops listening at foreign bytes',
      breaks: 'A listener takes no socket any more when another program has sent it bytes.',
      caughtBy: ['foreign-bytes'],
      make: (world) =>
        handlers(async (socket, handler) => {
          if (world.injected.size === 0) await handler(socket);
          else await socket.closed;
        }),
    },
    {
      name: 'ends its sockets at foreign bytes',
      breaks: 'An open socket fails when another program has sent its listener bytes.',
      caughtBy: ['foreign-bytes'],
      make: (world) =>
        sockets((socket, end) => {
          const before = world.injected.size;
          return {
            async send(message, options) {
              if (end === 'dialled' && world.injected.size > before) throw new MicroError('internal', 'it broke');
              await socket.send(message, options);
            },
          };
        }),
    },
    {
      name: 'calls bad credentials an outage',
      breaks: 'Credentials that the server refuses are `unavailable`.',
      caughtBy: ['bad-credentials'],
      make: () => refusedWith((error) => Promise.reject(recoded(error, 'unavailable'))),
    },
    {
      name: 'tries bad credentials for ever',
      breaks: 'With credentials that the server refuses calls never settle.',
      caughtBy: ['bad-credentials'],
      make: () => refusedWith(never),
    },
    {
      name: 'calls bad credentials invalid',
      breaks: 'Credentials that the server refuses are `invalid`.',
      caughtBy: ['bad-credentials'],
      make: () => refusedWith((error) => Promise.reject(recoded(error, 'invalid'))),
    },
  ]),
];

function first(headers: Readonly<Record<string, string>>, count: number): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).slice(0, count));
}

/** Breaks how calls say that the server refuses the credentials. */
function refusedWith(answer: (error: MicroError) => Promise<never>): ReturnType<typeof transports> {
  const orAnswer = (error: unknown) => {
    if (MicroError.is(error, 'unauthorized')) return answer(error);
    throw error;
  };
  return transports((transport) => ({
    dial: (address, options) => transport.dial(address, options).catch(orAnswer),
    listen: (address, options) => transport.listen(address, options).catch(orAnswer),
  }));
}
