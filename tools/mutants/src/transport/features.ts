import { createServer } from 'node:net';
import type { Transport, TransportFeatures } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { sockets, transports } from './seams.ts';

export const features: readonly Mutant<'transport'>[] = mutantsOf('transport', [
  {
    name: 'denies named addresses',
    breaks: '`supports` says that no address can be given, and it can.',
    caughtBy: ['named-address'],
    make: () => saying({ namedAddresses: false }),
  },
  {
    name: 'refuses named addresses',
    breaks: '`supports` says that an address can be given, and it is refused.',
    caughtBy: ['named-address'],
    make: () =>
      transports((transport) => ({
        listen(address, options) {
          if (address === undefined) return transport.listen(undefined, options);
          return Promise.reject(new Error('addresses cannot be given'));
        },
      })),
  },
  {
    name: 'denies the close notice',
    breaks: '`supports` says that a peer learns of no close, and it does.',
    caughtBy: ['close-notice', 'for-await'],
    make: () => saying({ closeNotice: false }),
  },
  {
    name: 'denies to fail fast',
    breaks: '`supports` says that an exchange with nobody runs to its deadline, and it fails at once.',
    caughtBy: ['nobody-listens'],
    make: () => saying({ failFast: false }),
  },
  {
    name: 'boasts of no limit',
    breaks: '`supports` says that bodies have no limit, and they have one.',
    caughtBy: ['largest-body', 'too-large'],
    make: () => saying({ maxBodyBytes: Number.POSITIVE_INFINITY }),
  },
  {
    name: 'boasts of its limit',
    breaks: '`supports` says twice as much as goes through.',
    caughtBy: ['largest-body'],
    make: () => (transport) => saying({ maxBodyBytes: 2 * transport.supports.maxBodyBytes })(transport),
  },
  {
    name: 'contradicts itself',
    breaks: 'Two instances do not say the same in `supports`.',
    caughtBy: ['fresh-addresses'],
    make: () => {
      let count = 0;
      return (transport) => saying({ failFast: ++count % 2 === 0 })(transport);
    },
  },
  {
    name: 'leaves a timer',
    breaks: 'A timer of each socket runs on after its close.',
    caughtBy: ['message-unchanged'],
    make: (world) =>
      sockets(() => {
        const timer = setInterval(() => {}, 1000);
        world.leak(() => clearInterval(timer));
        return {};
      }),
  },
  {
    name: 'leaves a port open',
    breaks: 'A TCP server of each listener is there after its close.',
    caughtBy: ['fresh-addresses'],
    make: (world) =>
      transports((transport) => ({
        async listen(address, options) {
          const server = createServer();
          await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
          world.leak(() => new Promise((resolve) => server.close(resolve)));
          return transport.listen(address, options);
        },
      })),
  },
]);

function saying(features: Partial<TransportFeatures>): (transport: Transport) => Transport {
  return transports(({ supports }) => ({ supports: { ...supports, ...features } }));
}
