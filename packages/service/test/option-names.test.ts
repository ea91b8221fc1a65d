import { natsBroker } from '@ts-micro/broker-nats';
import { memoryBroker, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { expect, it } from 'vitest';
import { createClient, createService } from '../src/index.ts';

const factories: readonly (readonly [string, (options: never) => unknown, object, string])[] = [
  ['createService', createService, { transprot: {} }, 'transport'],
  ['createClient', createClient, { timeout: 100 }, 'timeoutMs'],
  ['memoryTransport', memoryTransport, { maxBodyByte: 1 }, 'maxBodyBytes'],
  ['memoryBroker', memoryBroker, { newtork: {} }, 'network'],
  ['memoryRegistry', memoryRegistry, { Network: {} }, 'network'],
  ['natsTransport', natsTransport, { adress: 'a' }, 'servers'],
  ['natsBroker', natsBroker, { outtage: 'buffer' }, 'outage'],
  ['natsRegistry', natsRegistry, { queryTimeout: 100 }, 'queryTimeoutMs'],
];

it.each(factories)('%s says which option is meant by a slip', (_, make, options, meant) => {
  expect(() => make(options as never)).toThrow(
    expect.objectContaining({ code: 'invalid', message: expect.stringMatching(`, and ${meant} may be meant$`) }),
  );
});

it.each(factories)('%s takes no text and no null for its options', (_, make) => {
  for (const options of [null, '127.0.0.1:4222'])
    expect(() => make(options as never)).toThrow(
      expect.objectContaining({
        code: 'invalid',
        message: expect.stringMatching('the options are .*, not an object$'),
      }),
    );
});

it('connectNats does both', async () => {
  await expect(connectNats({ url: 'a' } as object)).rejects.toThrow('nats: there is no option "url", and servers');
  await expect(connectNats('127.0.0.1:4222' as never)).rejects.toThrow('nats: the options are "127.0.0.1:4222", not');
});
