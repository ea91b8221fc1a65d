import { MicroError } from '@ts-micro/core';
import { abortable, throwIfAborted } from '@ts-micro/kit';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { recoded } from '../recoded.ts';
import { sends, sockets } from './seams.ts';

const what = 'a receive';

export const waiting: readonly Mutant<'transport'>[] = mutantsOf('transport', [
  {
    name: 'goes on receiving',
    breaks: 'An aborted `receive` takes the next message with it.',
    caughtBy: ['aborted-receive-loses-nothing'],
    make: () =>
      sockets((sound) => ({
        async receive(options) {
          throwIfAborted(options?.signal, what);
          return abortable(sound.receive(), options?.signal, what);
        },
      })),
  },
  {
    name: 'is deaf while it waits',
    breaks: 'A `receive` does not hear of a signal that aborts while it waits.',
    caughtBy: ['aborted-wait', 'deadline', 'socket-keeps-no-listener'],
    make: () =>
      sockets((sound) => ({
        receive: (options) => sound.receive(options?.signal?.aborted ? options : {}),
      })),
  },
  {
    name: 'breaks on an abort',
    breaks: 'A `receive` that was aborted closes its socket.',
    caughtBy: ['aborted-wait', 'deadline', 'aborted-receive-loses-nothing'],
    make: () =>
      sockets((sound) => ({
        receive: (options) =>
          sound.receive(options).catch((error: unknown) => {
            void sound.close();
            throw error;
          }),
      })),
  },
  {
    name: 'forgets why it stopped waiting',
    breaks: "An aborted wait rejects without the signal's reason.",
    caughtBy: ['aborted-wait'],
    make: () =>
      sockets((sound) => ({
        receive: (options) =>
          sound.receive(options).catch((error: unknown) => {
            throw MicroError.is(error, 'canceled') ? new MicroError('canceled', error.message) : error;
          }),
      })),
  },
  {
    name: 'cancels at a deadline',
    breaks: 'A wait past its deadline rejects with `canceled`.',
    caughtBy: ['deadline'],
    make: () =>
      sockets((sound) => ({
        receive: (options) =>
          sound.receive(options).catch((error: unknown) => {
            throw MicroError.is(error, 'timeout') ? recoded(error, 'canceled') : error;
          }),
      })),
  },
  {
    name: 'sends what was aborted',
    breaks: 'A signal aborted before `send` rejects it, and the message is sent.',
    caughtBy: ['aborted-send'],
    make: () =>
      sockets((sound) => ({
        async send(message, options) {
          await sound.send(message);
          throwIfAborted(options?.signal, 'a send');
        },
      })),
  },
  {
    name: 'loses what comes after an abort',
    breaks: 'The message after an aborted `send` is lost.',
    caughtBy: ['aborted-send'],
    make: () => {
      let isSpoilt = false;
      const losing = sends((message) => {
        const wasSpoilt = isSpoilt;
        isSpoilt = false;
        return wasSpoilt ? undefined : message;
      });
      const noting = sockets((sound) => ({
        send(message, options) {
          isSpoilt ||= options?.signal?.aborted === true;
          return sound.send(message, options);
        },
      }));
      return (sound) => losing(noting(sound));
    },
  },
]);
