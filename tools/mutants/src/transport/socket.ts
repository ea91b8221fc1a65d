import { type Message, MicroError } from '@ts-micro/core';
import { abortable, throwIfAborted } from '@ts-micro/kit';
import { copyMessage } from '../copy-message.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { never } from '../never.ts';
import { SameObject } from '../spoilt-message.ts';
import { acceptedSockets, conversation, otherEnd, sockets } from './seams.ts';

const what = 'a receive';

export const socket: readonly Mutant<'transport'>[] = mutantsOf('transport', [
  {
    name: 'swaps the ends',
    breaks: '`local` and `remote` of an accepted socket are those of the dialler.',
    caughtBy: ['local-and-remote'],
    make: () => acceptedSockets(({ local, remote }) => ({ local: remote, remote: local })),
  },
  {
    name: 'does not know who dials',
    breaks: '`remote` of an accepted socket is empty.',
    caughtBy: ['local-and-remote'],
    make: () => acceptedSockets(() => ({ remote: '' })),
  },
  {
    name: 'sends later',
    breaks: '`send` keeps the message, and reads it when the event loop has turned.',
    caughtBy: ['sender-changes-later'],
    make: () =>
      sockets((sound) => ({
        async send(message, options) {
          setImmediate(() => void sound.send(message, options).catch(() => {}));
        },
      })),
  },
  {
    name: 'hands over the very message',
    breaks: "The receiver gets the sender's own object.",
    caughtBy: ['receiver-changes', 'sender-changes-later'],
    make: () => {
      const same = new SameObject();
      return sockets((sound) => ({
        send: (message, options) => sound.send(same.give(message), options),
        async receive(options) {
          const message = await sound.receive(options);
          return message && same.take(message);
        },
      }));
    },
  },
  {
    name: 'receives now what comes after',
    breaks: '`receiveNow` keeps the first of what waits for the next `receive`.',
    caughtBy: ['receive-now'],
    make: () =>
      sockets((sound) => {
        let kept: Message | undefined;
        return {
          receive(options) {
            const message = kept;
            kept = undefined;
            return message ? Promise.resolve(message) : sound.receive(options);
          },
          receiveNow() {
            kept ??= sound.receiveNow?.();
            return kept && sound.receiveNow?.();
          },
        };
      }),
  },
  {
    name: 'receives now what stays',
    breaks: 'What `receiveNow` gives is received again.',
    caughtBy: ['receive-now'],
    make: () =>
      sockets((sound) => {
        let last: Message | undefined;
        return {
          receive(options) {
            const message = last;
            last = undefined;
            return message ? Promise.resolve(message) : sound.receive(options);
          },
          receiveNow() {
            last = sound.receiveNow?.();
            return last;
          },
        };
      }),
  },
  {
    name: 'receives now from a closed socket',
    breaks: '`receiveNow` throws once its side has closed.',
    caughtBy: ['receive-now'],
    make: () =>
      sockets((sound) => {
        let isClosed = false;
        void sound.closed.then(() => {
          isClosed = true;
        });
        return {
          receiveNow() {
            if (isClosed) throw new MicroError('closed', 'the socket is closed');
            return sound.receiveNow?.();
          },
        };
      }),
  },
  {
    name: 'closes in silence',
    breaks: 'A peer does not learn that the other side has closed.',
    caughtBy: ['close-notice'],
    make: () =>
      sockets((sound) => {
        let isClosed = false;
        void sound.closed.then(() => {
          isClosed = true;
        });
        return {
          async receive(options) {
            const message = await sound.receive(options);
            if (message === undefined && !isClosed) await abortable(never(), options?.signal, what);
            return message;
          },
        };
      }),
  },
  {
    name: 'rejects at the end',
    breaks: "`receive` rejects with `closed` after the peer's close.",
    caughtBy: ['close-notice', 'sent-before-close'],
    make: () =>
      sockets((sound) => ({
        async receive(options) {
          const message = await sound.receive(options);
          if (message === undefined) throw new MicroError('closed', 'the peer has closed');
          return message;
        },
      })),
  },
  {
    name: 'ends once',
    breaks: 'Only one `receive` gives `undefined` after the close of the peer, the next one waits.',
    caughtBy: ['close-notice'],
    make: () =>
      sockets((sound) => {
        let hasEnded = false;
        return {
          async receive(options) {
            const message = await sound.receive(options);
            if (message === undefined && hasEnded) await abortable(never(), options?.signal, what);
            hasEnded ||= message === undefined;
            return message;
          },
        };
      }),
  },
  {
    name: 'ends too early',
    breaks: 'A close overtakes what was sent before it.',
    caughtBy: ['sent-before-close'],
    make: () => {
      const closed = new Set<string>();
      return sockets((sound, end) => {
        const name = conversation(sound, end);
        return {
          receive: async (options) => (closed.has(`${otherEnd(end)} ${name}`) ? undefined : sound.receive(options)),
          close(options) {
            closed.add(`${end} ${name}`);
            return sound.close(options);
          },
        };
      });
    },
  },
  {
    name: 'forgets at close what waits',
    breaks: 'What was handed over a moment before a close is not sent any more.',
    caughtBy: ['sent-before-close'],
    make: () =>
      sockets((sound) => {
        let isClosing = false;
        return {
          async send(message, options) {
            throwIfAborted(options?.signal, 'a send');
            const copy = copyMessage(message);
            setImmediate(() => {
              if (!isClosing) void sound.send(copy).catch(() => {});
            });
          },
          close(options) {
            isClosing = true;
            return sound.close(options);
          },
        };
      }),
  },
  {
    name: 'forgets who waits',
    breaks: 'Closing a socket leaves its own pending `receive` waiting.',
    caughtBy: ['close-ends-receive'],
    make: () =>
      sockets((sound) => {
        let isClosing = false;
        return {
          async receive(options) {
            const wasClosing = isClosing;
            const message = await sound.receive(options);
            return isClosing && !wasClosing ? never() : message;
          },
          close(options) {
            isClosing = true;
            return sound.close(options);
          },
        };
      }),
  },
  {
    name: 'rejects who waits',
    breaks: 'Closing a socket rejects its own pending `receive` with `closed`.',
    caughtBy: ['close-ends-receive'],
    make: () =>
      sockets((sound) => {
        let isClosing = false;
        return {
          async receive(options) {
            const message = await sound.receive(options);
            if (message === undefined && isClosing) throw new MicroError('closed', 'the socket is closed');
            return message;
          },
          close(options) {
            isClosing = true;
            return sound.close(options);
          },
        };
      }),
  },
  {
    name: 'leaves senders in the line',
    breaks: 'Closing a socket leaves a `send` waiting that found a thousand others under way.',
    caughtBy: ['close-ends-send'],
    make: () =>
      sockets((sound) => {
        let underWay = 0;
        let isClosing = false;
        return {
          async send(message, options) {
            const isInLine = underWay >= 1000;
            underWay++;
            await sound.send(message, options).finally(() => underWay--);
            if (isInLine && isClosing) await never();
          },
          close(options) {
            isClosing = true;
            return sound.close(options);
          },
        };
      }),
  },
  {
    name: 'times senders out',
    breaks: 'Closing a socket rejects a `send` that is under way with `timeout`.',
    caughtBy: ['close-ends-send'],
    make: () =>
      sockets((sound) => {
        let isClosing = false;
        return {
          async send(message, options) {
            const wasClosing = isClosing;
            await sound.send(message, options);
            if (isClosing && !wasClosing) throw new MicroError('timeout', 'nobody made room');
          },
          close(options) {
            isClosing = true;
            return sound.close(options);
          },
        };
      }),
  },
  {
    name: 'shares a receive',
    breaks: 'Concurrent receives all get the same message.',
    caughtBy: ['concurrent-receives'],
    make: () =>
      sockets((sound) => {
        let pending: ReturnType<typeof sound.receive> | undefined;
        return {
          receive(options) {
            pending ??= sound.receive(options).finally(() => {
              pending = undefined;
            });
            return pending;
          },
        };
      }),
  },
  {
    name: 'waits behind the unread',
    breaks: 'Nothing is received on a socket while a hundred messages wait on another.',
    caughtBy: ['unread-socket'],
    make: () => {
      const unread = new Map<string, number>();
      const add = (name: string, count: number) => unread.set(name, (unread.get(name) ?? 0) + count);
      return sockets((sound, end) => {
        const name = `${end} ${conversation(sound, end)}`;
        return {
          async send(message, options) {
            await sound.send(message, options);
            add(`${otherEnd(end)} ${conversation(sound, end)}`, 1);
          },
          async receive(options) {
            if ([...unread].some(([other, count]) => other !== name && count >= 100))
              await abortable(never(), options?.signal, what);
            const message = await sound.receive(options);
            add(name, -1);
            return message;
          },
        };
      });
    },
  },
  {
    name: 'iterates once',
    breaks: '`for await` ends after the first message.',
    caughtBy: ['for-await'],
    make: () =>
      sockets((sound) => ({
        async *[Symbol.asyncIterator]() {
          const message = await sound.receive();
          if (message) yield message;
        },
      })),
  },
  {
    name: 'iterates for ever',
    breaks: '`for await` does not end when the peer closes.',
    caughtBy: ['for-await'],
    make: () =>
      sockets((sound) => ({
        async *[Symbol.asyncIterator]() {
          for (let message = await sound.receive(); message; message = await sound.receive()) yield message;
          await never();
        },
      })),
  },
]);
