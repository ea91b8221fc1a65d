import { connect } from '@nats-io/transport-node';
import type { MicroError } from '@ts-micro/core';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { type JetStreamBrokerOptions, jetstreamBroker } from '../src/index.ts';

const within = { timeout: 15_000 };
const configOf = (denied: string) =>
  `authorization { users: [ { user: a, password: x, permissions: { publish: { deny: [${denied}] } } } ] }`;

async function world(options: JetStreamBrokerOptions = {}) {
  const server = await startNatsServer({ jetstream: true, config: configOf('"other"') });
  const broker = jetstreamBroker({ servers: server.url, user: 'a', password: 'x', ...options });
  return {
    broker,
    deny: (denied: string) => server.reload({ config: configOf(denied) }),
    send: (text: string) => broker.publish('jobs', { headers: {}, body: new TextEncoder().encode(text) }),
    async [Symbol.asyncDispose]() {
      await broker.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('a subscription whose account may no longer', () => {
  test.each([
    ['a queue', { queue: 'q' }],
    ['a subscription of its own', {}],
  ])('ask for messages, of %s, says so, is not connected, and goes on when it may', async (_what, options) => {
    await using at = await world({ maxPendingMessages: 1 });
    const heard: string[] = [];
    const errors: MicroError[] = [];
    await at.broker.subscribe('jobs', ({ message }) => void heard.push(new TextDecoder().decode(message.body)), {
      ...options,
      onError: (error) => errors.push(error),
    });
    await at.deny('"$JS.API.CONSUMER.MSG.NEXT.>"');
    // The last one that was asked for.
    await at.send('1');
    await expect.poll(() => errors.length, within).toBeGreaterThan(0);
    expect(errors[0]).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('Permissions Violation for Publish to "$JS.API.CONSUMER.MSG.NEXT.'),
    });
    expect(at.broker.isConnected).toBe(false);
    expect(at.broker.outage).toMatchObject({ code: 'unauthorized' });
    await at.send('2');
    await at.deny('"other"');
    await expect.poll(() => heard, within).toEqual(['1', '2']);
    await expect.poll(() => at.broker.isConnected, within).toBe(true);
  });

  test('acknowledge says so', async () => {
    await using at = await world();
    const errors: MicroError[] = [];
    await at.broker.subscribe('jobs', () => {}, { queue: 'q', onError: (error) => errors.push(error) });
    await at.deny('"$JS.ACK.>"');
    await at.send('1');
    await expect.poll(() => errors.length, within).toBe(1);
    expect(errors[0]).toMatchObject({
      code: 'unauthorized',
      message: expect.stringMatching(/subscriber of "jobs": what was handled cannot be acknowledged: .*\$JS\.ACK\./),
    });
  });
});

describe('a durable consumer that somebody else made', () => {
  async function durable(config: object) {
    const server = await startNatsServer({ jetstream: true });
    const broker = jetstreamBroker({ servers: server.url });
    await broker.publish('jobs', { headers: {}, body: new Uint8Array(1) });
    const raw = await connect({ servers: server.url });
    const made = { durable_name: 'q__jobs', ack_policy: 'explicit', filter_subject: 'micro.events.jobs', ...config };
    const question = JSON.stringify({ stream_name: 'MICRO_EVENTS', config: made });
    const answer = await raw.request('$JS.API.CONSUMER.DURABLE.CREATE.MICRO_EVENTS.q__jobs', question);
    expect(answer.json()).toMatchObject({ name: 'q__jobs' });
    await raw.close();
    return {
      broker,
      async [Symbol.asyncDispose]() {
        await broker.close();
        await server[Symbol.asyncDispose]();
      },
    };
  }

  test('and that cannot be asked for messages is a conflict', async () => {
    await using at = await durable({ deliver_subject: 'there' });
    await expect(at.broker.subscribe('jobs', () => {}, { queue: 'q' })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('is no pull consumer'),
    });
  });

  test('and that ends every pull by a limit of its own says which', async () => {
    await using at = await durable({ max_expires: 1_000_000_000 });
    const errors: MicroError[] = [];
    await at.broker.subscribe('jobs', () => {}, { queue: 'q', onError: (error) => errors.push(error) });
    await expect.poll(() => errors.length, within).toBeGreaterThan(0);
    expect(errors[0]).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/Exceeded MaxRequestExpires/),
    });
  });
});

test('a limit of the account is `unavailable`, in its words', async () => {
  const limits = 'max_mem: 1M, max_file: 1M, max_streams: 1, max_consumers: 1';
  await using server = await startNatsServer({
    jetstream: true,
    config: `accounts { A { jetstream { ${limits} }, users: [ { user: a, password: x } ] } }`,
  });
  await using broker = jetstreamBroker({ servers: server.url, user: 'a', password: 'x' });
  const subscribe = () => broker.subscribe('jobs', () => {});
  const subscriber = await subscribe();
  await expect(subscribe()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('maximum') });
  await subscriber.close();
  const message = { headers: {}, body: new Uint8Array(900_000) };
  await broker.publish('jobs', message);
  await expect(broker.publish('jobs', message)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('resource limits exceeded'),
  });
});
