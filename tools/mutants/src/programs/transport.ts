import type { Message } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { sockets } from '../transport/seams.ts';

/** Breakages that show only in what comes of several steps together. */
export const programs: readonly Mutant<'transport'>[] = mutantsOf('transport', [
  {
    name: 'hands on what was not read',
    breaks: 'What a socket had not received when it closed is given to the next one that its transport dials.',
    caughtBy: ['any-program'],
    make: () => (sound) => {
      let unread: Message[] = [];
      return sockets((socket, end) => {
        if (end === 'accepted') return {};
        const inherited = unread;
        unread = [];
        let received = 0;
        return {
          async receive(options) {
            // Not before the socket is in use.
            const old = received++ > 0 ? inherited.shift() : undefined;
            return old ?? socket.receive(options);
          },
          async close(options) {
            for (;;) {
              const controller = new AbortController();
              setImmediate(() => controller.abort());
              const message = await socket.receive({ signal: controller.signal }).catch(() => undefined);
              if (message === undefined) break;
              unread.push(message);
            }
            await socket.close(options);
          },
        };
      })(sound);
    },
  },
  {
    name: 'forgets its place after an abort',
    breaks: 'The second `receive` after one that was aborted skips a message, where one waits.',
    caughtBy: ['any-program'],
    make: () =>
      sockets((socket) => {
        let since = Number.NaN;
        return {
          async receive(options) {
            if (++since === 2 && options?.signal === undefined) await socket.receive(options);
            return socket.receive(options).catch((error: unknown) => {
              since = 0;
              throw error;
            });
          },
        };
      }),
  },
]);
