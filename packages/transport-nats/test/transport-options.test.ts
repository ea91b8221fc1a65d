import { getPlugin } from '@ts-micro/core';
import { type NatsTransportOptions, natsTransport } from '@ts-micro/transport-nats';
import '@ts-micro/transport-nats/register';
import { expect, test } from 'vitest';

for (const [option, value] of [
  ['servers', 'ws://a'],
  ['inboxPrefix', 'a b'],
  ['addressPrefix', 'a.*'],
  ['dialect', 'native'],
  ['maxMessageBytes', 0],
  ['maxReassemblyBytes', '1'],
  ['idleTimeoutMs', 0],
  ['maxSockets', 1.5],
  ['maxQueuedMessages', -1],
  ['maxQueuedBytes', 0],
  ['closeTimeoutMs', Number.NaN],
  ['connection', {}],
] as const) {
  test(`option ${option} ${JSON.stringify(value)} is refused`, () => {
    const make = () => natsTransport({ [option]: value } as NatsTransportOptions);
    expect(make).toThrow(
      expect.objectContaining({
        code: 'invalid',
        message: expect.stringContaining(option === 'servers' ? 'ws://a' : option),
      }),
    );
  });
}

test('a transport is made by the name nats', async () => {
  await using transport = getPlugin('transport', 'nats')({ addresses: ['127.0.0.1:1'] });
  expect(transport.name).toBe('nats');
  expect(transport.supports).toEqual({
    closeNotice: true,
    failFast: true,
    namedAddresses: true,
    maxBodyBytes: 128 * 1024 * 1024,
  });
});

test('a transport held to the dialect of Go Micro says what that cannot do', async () => {
  await using transport = natsTransport({ dialect: 'go' });
  expect(transport.supports).toEqual({
    closeNotice: false,
    failFast: true,
    namedAddresses: true,
    maxBodyBytes: 700 * 1024,
  });
});

test('making and closing one needs no server', async () => {
  const transport = natsTransport();
  await transport.close();
  expect(await transport.closed).toBeUndefined();
});
