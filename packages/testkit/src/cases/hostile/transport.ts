import assert from 'node:assert/strict';
import { rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { dial, exchange, serveEcho } from '../transport/pair.ts';
import { foreignBytes } from './foreign-bytes.ts';

export const hostileToTransports: readonly ContractCase<'transport'>[] = casesOf('transport', 'Transport', [
  {
    id: 'transport/foreign-bytes',
    title: 'bytes that another program sent stop no listener and no socket',
    needs: ['inject'],
    async run(context) {
      const { listener } = await serveEcho(context);
      const client = await context.open();
      const open = await dial(context, client, listener);
      for (const [what, bytes] of foreignBytes) {
        await context.hooks.inject(bytes, listener.address);
        for (const socket of [open, await dial(context, client, listener)])
          assert.equal(await exchange(context, socket, `after ${what}`), `after ${what}`);
      }
    },
  },
  {
    id: 'transport/bad-credentials',
    title: 'credentials that the server refuses are `unauthorized`',
    needs: ['badCredentials'],
    async run(context) {
      const transport = await context.openRefused();
      const address = context.unique('address');
      const listening = context.within(transport.listen(), 'listen').then((listener) => listener.accept(() => {}));
      await rejection(context.within(listening, 'accept'), 'listening with bad credentials', 'unauthorized');
      await rejection(context.within(transport.dial(address), 'dial'), 'dialling with bad credentials', 'unauthorized');
    },
  },
]);
