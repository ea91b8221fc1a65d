import assert from 'node:assert/strict';
import { MicroError } from '@ts-micro/core';
import { message, rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { fence, listen, publishText, textsOf, withoutFences } from '../broker/topic.ts';
import { foreignBytes } from './foreign-bytes.ts';

export const hostileToBrokers: readonly ContractCase<'broker'>[] = casesOf('broker', 'Broker', [
  {
    id: 'broker/foreign-bytes',
    title: 'bytes that another program published stop no delivery',
    needs: ['inject'],
    async run(context) {
      const [publisher, elsewhere] = [await context.open(), await context.open()];
      const topic = context.unique('topic');
      const errors: unknown[] = [];
      const onError = (error: unknown) => void errors.push(error);
      const listening = [
        await listen(context, publisher, topic, { onError }),
        await listen(context, elsewhere, topic, { onError }),
      ];
      for (const [what, bytes] of foreignBytes) {
        await context.hooks.inject(bytes, topic);
        await publishText(context, publisher, topic, `after ${what}`);
        await fence(context, publisher, topic, listening);
        for (const each of listening)
          assert.ok(withoutFences(textsOf(each)).includes(`after ${what}`), `lost what came after ${what}`);
      }
      for (const error of errors) assert.ok(MicroError.is(error, 'malformed'), `onError was told ${error}`);
    },
  },
  {
    id: 'broker/bad-credentials',
    title: 'credentials that the server refuses are `unauthorized`',
    needs: ['badCredentials'],
    async run(context) {
      const broker = await context.openRefused();
      const topic = context.unique('topic');
      for (const [what, call] of [
        ['connect', () => broker.connect()],
        ['publish', () => broker.publish(topic, message('let me in'))],
        ['subscribe', () => broker.subscribe(topic, () => {})],
      ] as const) {
        await rejection(context.within<unknown>(call(), what), `${what} with bad credentials`, 'unauthorized');
      }
    },
  },
]);
