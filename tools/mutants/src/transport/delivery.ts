import type { Message, Socket } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { spoilt } from '../spoilt-message.ts';
import { conversation, sends, sockets } from './seams.ts';

export const delivery: readonly Mutant<'transport'>[] = mutantsOf('transport', [
  {
    name: 'reads requests as text',
    breaks: 'A body on its way to the listener goes through UTF-8.',
    caughtBy: ['message-unchanged'],
    make: () => sends(spoilt.asText, 'dialled'),
  },
  {
    name: 'reads replies as text',
    breaks: 'A body on its way to the dialler goes through UTF-8.',
    caughtBy: ['reply-unchanged'],
    make: () => sends(spoilt.asText, 'accepted'),
  },
  {
    name: 'sends the whole buffer',
    breaks: 'A body that is a part of a larger buffer arrives as all of that.',
    caughtBy: ['message-unchanged', 'reply-unchanged'],
    make: () => sends(spoilt.wholeBuffer),
  },
  {
    name: "works in the sender's bytes",
    breaks: 'A body is encoded where it lies, in the hands of its sender.',
    caughtBy: ['message-unchanged', 'reply-unchanged'],
    make: () =>
      sockets((socket) => ({
        send: (message, options) => socket.send(spoilt.inPlace(message), options),
        async receive(options) {
          const message = await socket.receive(options);
          return message && spoilt.inPlace(message);
        },
      })),
  },
  {
    name: "writes into the sender's headers",
    breaks: 'A header of its own is added to the message that it was given.',
    caughtBy: ['message-unchanged', 'receiver-changes'],
    make: () =>
      sends((message) => {
        (message.headers as Record<string, string>)['Trace-Id'] = '1';
        return message;
      }),
  },
  {
    name: 'loses messages',
    breaks: 'One message in fifty never arrives.',
    caughtBy: ['burst-to-listener-in-order', 'burst-to-dialler-in-order', 'both-sides-at-once'],
    make: () => {
      let count = 0;
      return sends((message) => (++count % 50 === 0 ? undefined : message));
    },
  },
  {
    name: 'sends twice',
    breaks: 'One message in fifty arrives twice.',
    caughtBy: ['burst-to-listener-in-order', 'burst-to-dialler-in-order'],
    make: () => {
      let count = 0;
      return sockets((socket) => ({
        async send(message, options) {
          await socket.send(message, options);
          if (++count % 50 === 0) await socket.send(message, options);
        },
      }));
    },
  },
  {
    name: 'repeats the last of a burst',
    breaks: 'The thousandth message on a socket arrives twice.',
    caughtBy: ['burst-to-listener-in-order', 'burst-to-dialler-in-order'],
    make: () =>
      sockets((socket) => {
        let count = 0;
        return {
          async send(message, options) {
            await socket.send(message, options);
            // The kit's first exchange is one more.
            if (++count === 1001) await socket.send(message, options);
          },
        };
      }),
  },
  {
    name: 'reorders',
    breaks: 'One message in seven arrives after the next.',
    caughtBy: ['burst-to-listener-in-order', 'burst-to-dialler-in-order'],
    make: () =>
      sockets((socket) => {
        let count = 0;
        let held: Message | undefined;
        return {
          async send(message, options) {
            if (++count % 7 === 0) {
              held = message;
              return;
            }
            const late = held;
            held = undefined;
            await socket.send(message, options);
            if (late) await socket.send(late, options);
          },
        };
      }),
  },
  {
    name: 'overflows',
    breaks: 'What comes while a hundred messages wait to be received is lost.',
    caughtBy: ['burst-to-dialler-in-order'],
    make: () => {
      const unread = new Map<string, number>();
      return sockets((socket, end) => {
        const name = conversation(socket, end);
        return {
          async send(message, options) {
            const count = unread.get(name) ?? 0;
            if (end === 'accepted' && count >= 100) return;
            if (end === 'accepted') unread.set(name, count + 1);
            await socket.send(message, options);
          },
          async receive(options) {
            const message = await socket.receive(options);
            if (end === 'dialled') unread.set(name, (unread.get(name) ?? 0) - 1);
            return message;
          },
        };
      });
    },
  },
  {
    name: 'mixes sockets',
    breaks: 'A reply goes to the socket that was accepted last.',
    caughtBy: ['sockets-never-mix'],
    make: () => {
      let last: Socket | undefined;
      return sockets((socket, end) => {
        if (end === 'dialled') return {};
        last = socket;
        return { send: (message, options) => (last ?? socket).send(message, options) };
      });
    },
  },
  {
    name: 'is half duplex',
    breaks: 'What arrives while a side sends is lost to it.',
    caughtBy: ['both-sides-at-once'],
    make: () =>
      sockets((socket) => {
        let sending = 0;
        return {
          async send(message, options) {
            sending++;
            // Until the event loop has turned, as what arrives with the last of what was sent is lost as well.
            await socket.send(message, options).finally(() => setImmediate(() => sending--));
          },
          async receive(options) {
            for (;;) {
              const message = await socket.receive(options);
              if (sending === 0 || message === undefined) return message;
            }
          },
        };
      }),
  },
]);
