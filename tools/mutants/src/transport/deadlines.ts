import { MicroError } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { silent } from '../silent.ts';
import { sockets, transports } from './seams.ts';

/** What a transport does wrong where nobody answers, and the caller has set a deadline. */
export const deadlines: readonly Mutant<'transport'>[] = mutantsOf('transport', [
  {
    name: 'sends on a silent link beyond every deadline',
    breaks: 'A `send` over a link that was lost without a word does not end at its deadline.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      sockets((socket) => ({ send: silent(world, (message, options) => socket.send(message, options)) })),
  },
  {
    name: 'replies on a silent link beyond every deadline',
    breaks: 'A `send` of an accepted socket does not end at its deadline where its link was lost without a word.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      sockets((socket, end) =>
        end === 'accepted' ? { send: silent(world, (message, options) => socket.send(message, options)) } : {},
      ),
  },
  {
    name: 'receives from a silent link beyond every deadline',
    breaks: 'A `receive` does not end at its deadline where its link was lost without a word.',
    caughtBy: ['half-open-deadline'],
    make: (world) => sockets((socket) => ({ receive: silent(world, (options) => socket.receive(options)) })),
  },
  {
    name: 'dials over a silent link beyond every deadline',
    breaks: 'A `dial` over a link that was lost without a word does not end at its deadline.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      transports((transport) => ({ dial: silent(world, (address, options) => transport.dial(address, options)) })),
  },
  {
    name: 'listens on a silent link beyond every deadline',
    breaks: 'A `listen` over a link that was lost without a word does not end at its deadline.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      transports((transport) => ({ listen: silent(world, (address, options) => transport.listen(address, options)) })),
  },
  {
    name: 'closes with a word to nobody',
    breaks: 'A transport whose link was lost without a word closes only once it is answered.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      transports((transport) => {
        world.leak(() => transport.close());
        return { close: silent(world, (options) => transport.close(options)) };
      }),
  },
  {
    name: 'calls a deadline an internal error',
    breaks: 'A `receive` whose deadline passes where nobody answers rejects with `internal`.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      sockets((socket) => ({
        receive: (options) =>
          socket.receive(options).catch((error: unknown) => {
            const isLate = world.halfOpens > 0 && MicroError.is(error, 'timeout');
            throw isLate ? new MicroError('internal', 'no answer') : error;
          }),
      })),
  },
]);
