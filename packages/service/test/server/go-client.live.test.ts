import { natsBroker } from '@ts-micro/broker-nats';
import { MicroError } from '@ts-micro/core';
import { connectNats, type NatsConnection } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { describe, expect, it } from 'vitest';
import { createService } from '../../src/server/create-service.ts';
import type { Service } from '../../src/server/service.ts';
import { golden } from '../rpc/golden.ts';
import { deferred, request, until } from './fixture.ts';

interface Envelope {
  readonly Header: Record<string, string>;
  readonly Body: string | null;
}

/** A client that knows nothing but NATS and the JSON of a Go client: one inbox, one listener's subject. */
interface BareClient {
  send(message: { headers: Readonly<Record<string, string>>; body: Uint8Array }): void;
  readonly received: Envelope[];
  leave(): void;
}

interface Live extends AsyncDisposable {
  readonly service: Service;
  readonly connection: NatsConnection;
  dial(): Promise<BareClient>;
}

async function startLive(configure: (service: Service) => void): Promise<Live> {
  const nats = await startNatsServer();
  const connection = await connectNats({ servers: nats.url });
  const bare = await connectNats({ servers: nats.url });
  const service = createService({
    name: 'greeter',
    transport: natsTransport({ connection }),
    broker: natsBroker({ connection }),
    registry: natsRegistry({ connection }),
  });
  configure(service);
  await service.start();
  const address = service.node?.address as string;
  return {
    service,
    connection: bare,
    dial: async () => {
      const received: Envelope[] = [];
      const reply = bare.newInbox();
      const subscription = bare.subscribe(reply, {
        onMessage: ({ data }) => received.push(JSON.parse(Buffer.from(data).toString())),
      });
      await subscription.confirm();
      return {
        received,
        send: ({ headers, body }) => {
          const text = JSON.stringify({ Header: headers, Body: Buffer.from(body).toString('base64') });
          bare.publish(address, Buffer.from(text), { reply });
        },
        leave: () => subscription.unsubscribe(),
      };
    },
    [Symbol.asyncDispose]: async () => {
      await service.stop();
      await Promise.all([connection.close(), bare.close()]);
      await nats[Symbol.asyncDispose]();
    },
  };
}

function envelope(name: string): Envelope {
  const { headers, body } = golden(name);
  return { Header: { ...headers }, Body: Buffer.from(body).toString('base64') };
}

describe('a Go client', () => {
  it('is answered as by a Go server, in either spelling of the id', async () => {
    await using live = await startLive((service) => {
      service.handle('Greeter.Hello', ({ name }: { name: string }) => ({ msg: `Hello ${name}` }));
    });
    for (const [asked, answered] of [
      ['T1', 'T5'],
      ['T2', 'T6'],
    ] as const) {
      const client = await live.dial();
      client.send(golden(asked));
      await until('it is answered', () => client.received.length === 1);
      expect(client.received).toEqual([envelope(answered)]);
    }
  });

  it('has a hundred requests served side by side on one reply subject', async () => {
    const gates = Array.from({ length: 100 }, () => deferred());
    await using live = await startLive((service) => {
      service.handle('Greeter.Wait', async ({ index }: { index: number }) => {
        await gates[index]?.promise;
        return { index };
      });
    });
    const client = await live.dial();
    for (const index of gates.keys()) client.send(request('Greeter.Wait', { index }, { 'Micro-ID': `id-${index}` }));
    await until('all run', () => live.service.health().running === 100);
    for (const gate of [...gates].reverse()) gate.resolve();
    await until('all are answered', () => client.received.length === 100);
    for (const { Header, Body } of client.received) {
      const { index } = JSON.parse(Buffer.from(Body as string, 'base64').toString()) as { index: number };
      expect(Header['Micro-ID']).toBe(`id-${index}`);
    }
  });

  it('is told of an error too large for NATS in few words', async () => {
    await using live = await startLive((service) => {
      service.handle('Greeter.Fail', () => {
        throw new MicroError('not_found', 'x'.repeat(900_000));
      });
    });
    const client = await live.dial();
    client.send(request('Greeter.Fail', {}));
    await until('it is answered', () => client.received.length === 1);
    const text = client.received[0]?.Header['Micro-Error'] ?? '';
    expect(JSON.parse(text)).toMatchObject({ id: 'greeter', code: 404, detail: `${'x'.repeat(1000)}...` });
  });

  it('streams, and gets one terminal message', async () => {
    await using live = await startLive((service) => {
      service.handleStream<{ msg: string }, { name: string }>('Greeter.Stream', async (stream) => {
        for await (const { name } of stream) await stream.send({ msg: `Hello ${name}` });
      });
    });
    const client = await live.dial();
    for (const name of ['S1', 'S2', 'S5']) client.send(golden(name));
    await until('it has ended', () => client.received.length === 2);
    expect(client.received).toEqual([envelope('S3'), envelope('S4')]);
  });

  it('that vanishes from a stream stops its handler', async () => {
    const stopped = deferred<boolean>();
    await using live = await startLive((service) => {
      service.handleStream('Greeter.Stream', async (stream, { signal }) => {
        try {
          for (;;) {
            await stream.send({ tick: true });
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        } finally {
          stopped.resolve(signal.aborted);
        }
      });
    });
    const client = await live.dial();
    client.send(golden('S1'));
    await until('it streams', () => client.received.length > 0);
    client.leave();
    await stopped.promise;
    await until('nothing runs', () => live.service.health().running === 0);
  });

  it('finds an event acknowledged', async () => {
    const seen: unknown[] = [];
    await using live = await startLive((service) => {
      service.subscribe('greeter.events', (event) => {
        seen.push(event);
      });
    });
    const client = await live.dial();
    client.send(golden('V1'));
    await until('it is acknowledged', () => client.received.length === 1);
    expect(client.received[0]?.Header).toEqual(golden('V2').headers);
    live.connection.publish('greeter.events', Buffer.from(JSON.stringify(envelope('V4'))));
    await until('both are handled', () => seen.length === 2);
    expect(seen).toEqual([{ name: 'John' }, { name: 'John' }]);
  });
});
