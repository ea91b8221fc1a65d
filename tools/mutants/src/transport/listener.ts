import { type Listener, MicroError, type Socket } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { recoded } from '../recoded.ts';
import { handlers, listeners } from './seams.ts';

type Handler = Parameters<Listener['accept']>[0];

export const listener: readonly Mutant<'transport'>[] = mutantsOf('transport', [
  {
    name: 'accepts too late',
    breaks: 'The first message after `accept` has resolved is lost.',
    caughtBy: ['accept-is-ready'],
    make: () => {
      const ready = new Set<string>();
      return handlers(async (socket, handler) => {
        if (!ready.has(socket.local)) await socket.receive();
        ready.add(socket.local);
        await handler(socket);
      });
    },
  },
  {
    name: 'replaces the handler',
    breaks: 'A second `accept` silently takes the place of the first.',
    caughtBy: ['second-accept'],
    make: () =>
      listeners((sound) => {
        let current: Handler | undefined;
        return {
          async accept(handler, options) {
            const isFirst = current === undefined;
            current = handler;
            if (isFirst) await sound.accept((socket) => current?.(socket), options);
          },
        };
      }),
  },
  {
    name: 'calls a second accept invalid',
    breaks: 'A second `accept` is refused with `invalid`.',
    caughtBy: ['second-accept'],
    make: () =>
      listeners((sound) => ({
        accept: (handler, options) =>
          sound.accept(handler, options).catch((error: unknown) => {
            throw MicroError.is(error, 'conflict') ? recoded(error, 'invalid') : error;
          }),
      })),
  },
  {
    name: 'breaks on a second accept',
    breaks: 'After a second `accept` was refused the first handler gets no sockets.',
    caughtBy: ['second-accept'],
    make: () =>
      listeners((sound) => {
        let isBroken = false;
        return {
          accept: (handler, options) =>
            sound
              .accept((socket) => (isBroken ? undefined : handler(socket)), options)
              .catch((error: unknown) => {
                isBroken = MicroError.is(error, 'conflict');
                throw error;
              }),
        };
      }),
  },
  {
    name: 'accepts in a race',
    breaks: 'Two calls of `accept` at once both succeed.',
    caughtBy: ['listener-concurrent-calls'],
    make: () =>
      listeners((sound) => {
        let isAccepting = false;
        return {
          async accept(handler, options) {
            if (isAccepting) return sound.accept(handler, options);
            await sound.accept(handler, options).catch((error: unknown) => {
              if (!MicroError.is(error, 'conflict')) throw error;
            });
            isAccepting = true;
          },
        };
      }),
  },
  {
    name: 'handles one at a time',
    breaks: 'A socket is handled once the handler of the one before has settled.',
    caughtBy: ['slow-handler'],
    make: () => {
      let before = Promise.resolve();
      return handlers((socket, handler) => {
        const after = before.then(() => handler(socket));
        before = after.catch(() => {});
        return after;
      });
    },
  },
  {
    name: 'keeps handled sockets',
    breaks: 'A socket stays open when its handler has settled.',
    caughtBy: ['handler-settles'],
    make: () =>
      handlers(async (socket, handler) => {
        await handler(socket);
        await socket.closed;
      }),
  },
  {
    name: 'keeps broken sockets',
    breaks: 'A socket stays open when its handler has thrown.',
    caughtBy: ['handler-throws'],
    make: () =>
      handlers((socket, handler) =>
        handler(socket)
          .catch(() => socket.closed)
          .then(() => {}),
      ),
  },
  {
    name: 'closes with a throw',
    breaks: 'A handler that throws closes its listener.',
    caughtBy: ['handler-throws'],
    make: () =>
      listeners((sound) => ({
        accept: (handler, options) =>
          sound.accept(async (socket) => {
            try {
              await handler(socket);
            } catch {
              void sound.close();
            }
          }, options),
      })),
  },
  {
    name: 'closes all with a throw',
    breaks: 'A handler that throws closes every socket of its listener.',
    caughtBy: ['handler-throws'],
    make: () => {
      const open = new Set<Socket>();
      return handlers(async (socket, handler) => {
        open.add(socket);
        await handler(socket).catch(() => Promise.all(Array.from(open, (each) => each.close())));
        open.delete(socket);
      });
    },
  },
  {
    name: 'lets throws escape',
    breaks: 'What a handler throws is a rejection with nobody listening.',
    caughtBy: ['handler-throws'],
    make: () =>
      handlers(async (socket, handler) => {
        const handled = handler(socket);
        void handled.then(() => {});
        await handled;
      }),
  },
  {
    name: 'cuts off on close',
    breaks: 'Closing a listener closes its open sockets at once.',
    caughtBy: ['listener-close'],
    make: () => {
      const open = new Set<Socket>();
      const noting = handlers(async (socket, handler) => {
        open.add(socket);
        await handler(socket);
        open.delete(socket);
      });
      const closing = listeners((sound) => ({
        async close(options) {
          await Promise.all(Array.from(open, (socket) => socket.close()));
          await sound.close(options);
        },
      }));
      return (sound) => closing(noting(sound));
    },
  },
  {
    name: 'accepts while closing',
    breaks: 'Closing a listener stops new sockets once the open ones have finished.',
    caughtBy: ['listener-close'],
    make: () => {
      const running = new Set<Promise<void>>();
      const noting = handlers((socket, handler) => {
        const handled = handler(socket);
        running.add(handled);
        return handled.finally(() => running.delete(handled));
      });
      const closing = listeners((sound) => ({
        async close(options) {
          await Promise.allSettled(running);
          await sound.close(options);
        },
      }));
      return (sound) => closing(noting(sound));
    },
  },
  {
    name: 'closes without waiting',
    breaks: 'Closing a listener resolves while handlers run.',
    caughtBy: ['listener-close'],
    make: () =>
      listeners((sound) => ({
        async close(options) {
          void sound.close(options);
        },
      })),
  },
  {
    name: 'closes others',
    breaks: 'Closing a listener closes the other listeners of its transport.',
    caughtBy: ['listener-close'],
    make: () => (transport) => {
      const all: Listener[] = [];
      return listeners((sound) => {
        all.push(sound);
        return {
          async close(options) {
            await Promise.all(all.map((each) => each.close(options)));
          },
        };
      })(transport);
    },
  },
  {
    name: 'closes deaf',
    breaks: 'Closing a listener waits for handlers beyond the deadline it was given.',
    caughtBy: ['handler-never-settles'],
    make: () => listeners((sound) => ({ close: () => sound.close() })),
  },
  {
    name: 'abandons in silence',
    breaks: '`closed` says nothing of the handlers that were abandoned.',
    caughtBy: ['handler-never-settles'],
    make: () =>
      listeners((sound) => ({
        get closed() {
          return sound.closed.then(() => undefined);
        },
      })),
  },
]);
