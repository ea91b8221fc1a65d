import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { type Client, createClient } from '@ts-micro/service';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { describe, expect, test } from 'vitest';
import { BareGreeter, type BareNodeOptions, type BareRequest } from './bare-greeter.ts';
import { BarePeer, base64 } from './bare-peer.ts';

interface Stage extends AsyncDisposable {
  readonly client: Client;
  /** A Go server's stand-in. */
  greeter(answer: (request: BareRequest) => readonly string[], options?: BareNodeOptions): Promise<BareGreeter>;
  /** What the server holds for the two of us. */
  subscriptions(): Promise<number>;
}

async function open(): Promise<Stage> {
  const server = await startNatsServer();
  const peer = await BarePeer.connect(server.url);
  const connection = await connectNats({ servers: server.url });
  const transport = natsTransport({ connection });
  const registry = natsRegistry({ connection });
  const client = createClient({ transport, registry, selector: 'roundRobin' });
  const greeters: BareGreeter[] = [];
  return {
    client,
    greeter: async (answer, options) => {
      const greeter = await BareGreeter.start(peer, answer, options);
      greeters.push(greeter);
      return greeter;
    },
    subscriptions: async () => (await server.counts()).subscriptions,
    async [Symbol.asyncDispose]() {
      await client.close();
      await Promise.all([transport.close(), registry.close()]);
      await connection.close();
      for (const greeter of greeters) await greeter[Symbol.asyncDispose]();
      await peer[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const john = '{"msg":"Hello John"}\n';

function hello(client: Client, name = 'John'): Promise<unknown> {
  return client.call('greeter', 'Greeter.Hello', { name });
}

describe('our client calls a bare responder', () => {
  test('with what a Go server reads, and takes its answer', async () => {
    await using stage = await open();
    const greeter = await stage.greeter((request) => [request.success(john)]);
    expect(await hello(stage.client)).toEqual({ msg: 'Hello John' });
    const [request] = greeter.requests;
    expect(JSON.parse(request?.body as string)).toEqual({ name: 'John' });
    expect(request?.Header).toMatchObject({
      Accept: 'application/json',
      'Content-Type': 'application/json',
      'Micro-Endpoint': 'Greeter.Hello',
      'Micro-Method': 'Greeter.Hello',
      'Micro-Service': 'greeter',
      'Micro-Id': request?.id,
    });
    expect(request?.id).toMatch(/^\d+$/);
    expect(request?.Header.Timeout).toMatch(/^[1-9]\d*$/);
    expect(Number(request?.Header.Timeout)).toBeLessThanOrEqual(5e9);
  });

  test('that answers without an id, as a server of another generation does', async () => {
    await using stage = await open();
    await stage.greeter(() => [`{"Header":{"Content-Type":"application/json"},"Body":"${base64(john)}"}`]);
    expect(await hello(stage.client)).toEqual({ msg: 'Hello John' });
  });

  test('in JSON-RPC where its node names no protocol', async () => {
    await using stage = await open();
    const greeter = await stage.greeter(
      (request) => [request.success(`{"id":"${request.id}","result":{"msg":"Hello John"},"error":null}\n`)],
      { metadata: 'null' },
    );
    expect(await hello(stage.client)).toEqual({ msg: 'Hello John' });
    const [request] = greeter.requests;
    expect(request?.Header).toMatchObject({ Accept: 'application/json', 'Content-Type': 'application/json-rpc' });
    expect(JSON.parse(request?.body as string)).toEqual({
      params: [{ name: 'John' }],
      id: request?.id,
      method: 'Greeter.Hello',
    });
  });

  test('and never with two requests at once on one reply subject', async () => {
    await using stage = await open();
    const greeter = await stage.greeter((request) => [request.success(request.body)]);
    const names = Array.from({ length: 50 }, (_, index) => `${index}`);
    expect(await Promise.all(names.map((name) => hello(stage.client, name)))).toEqual(names.map((name) => ({ name })));
    expect(greeter.inboxes.size).toBe(50);
    await hello(stage.client);
    expect(greeter.inboxes.size).toBe(50);
  });
});

describe('the error that a bare responder answers with', () => {
  test('is remote, with the words of its handler, and no reason to ask again', async () => {
    await using stage = await open();
    const text = '{"id":"greeter","code":500,"detail":"user \\"bob\\" not found","status":"Internal Server Error"}';
    const greeter = await stage.greeter((request) => [request.failure(text)]);
    await expect(hello(stage.client)).rejects.toMatchObject({
      code: 'remote',
      remote: JSON.parse(text),
      retrySafe: false,
    });
    expect(greeter.requests).toHaveLength(1);
  });

  test.each([
    ["rpc: can't find method Hello", 'not_found'],
    ["rpc: can't find service Greeter", 'not_found'],
    ['something else', 'remote'],
  ])('"%s" is %s', async (text, code) => {
    await using stage = await open();
    await stage.greeter((request) => [request.failure(text)]);
    await expect(hello(stage.client)).rejects.toMatchObject({ code });
  });

  test('about a content type is unsupported, though it is plain text', async () => {
    await using stage = await open();
    const body = base64('unsupported Content-Type: application/json');
    await stage.greeter(() => [`{"Header":{"Content-Type":"text/plain"},"Body":"${body}"}`]);
    await expect(hello(stage.client)).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('in the body of JSON-RPC alone is an error too', async () => {
    await using stage = await open();
    await stage.greeter((request) => [request.success('{"id":"","result":null,"error":"it went wrong"}\n')], {
      metadata: '{}',
    });
    await expect(hello(stage.client)).rejects.toMatchObject({ code: 'remote', remote: { detail: 'it went wrong' } });
  });

  test('is malformed where it is no answer at all', async () => {
    await using stage = await open();
    await stage.greeter((request) => [request.success('{"msg":')]);
    await expect(hello(stage.client)).rejects.toMatchObject({ code: 'malformed' });
  });
});

describe('of several registered nodes our client', () => {
  test('skips those of other transports and protocols', async () => {
    await using stage = await open();
    const none = () => [];
    const strangers = await Promise.all(
      [
        '{"broker":"http","protocol":"grpc","registry":"mdns","server":"grpc","transport":"grpc"}',
        '{"protocol":"mucp","transport":"http"}',
        '{"protocol":"grpc","transport":"nats"}',
      ].map((metadata) => stage.greeter(none, { metadata })),
    );
    const greeter = await stage.greeter((request) => [request.success(john)]);
    for (let count = 0; count < 20; count++) await hello(stage.client);
    expect(greeter.requests).toHaveLength(20);
    for (const stranger of strangers) expect(stranger.requests).toEqual([]);
  });

  test('passes over the dead, of whom the registry still tells', async () => {
    await using stage = await open();
    const dead = await Promise.all(Array.from({ length: 3 }, () => stage.greeter(() => [])));
    for (const node of dead) node.deafen();
    const greeter = await stage.greeter((request) => [request.success(john)]);
    for (let count = 0; count < 50; count++) expect(await hello(stage.client)).toEqual({ msg: 'Hello John' });
    expect(greeter.requests).toHaveLength(50);
  });

  test('fails as unavailable, safe to retry, when all are dead', async () => {
    await using stage = await open();
    const node = await stage.greeter(() => []);
    node.deafen();
    await expect(hello(stage.client)).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  });
});

describe('our client streams from a bare responder', () => {
  /** Answers as a Go server of Greeter.Count does, whose opener carries nothing. */
  function counting() {
    let isOpen = false;
    return (request: BareRequest): readonly string[] => {
      if (request.isEnd) return [];
      if (!isOpen) {
        isOpen = true;
        return [];
      }
      const { to } = JSON.parse(request.body) as { to: number };
      const values = Array.from({ length: to }, (_, index) => request.value(`{"value":${index + 1}}\n`));
      return [...values, request.failure('EOS')];
    };
  }

  test('with an opener and its first message apart, to the end', async () => {
    await using stage = await open();
    const greeter = await stage.greeter(counting());
    const stream = await stage.client.stream<unknown, { value: number }>('greeter', 'Greeter.Count');
    await stream.send({ to: 100 });
    const values: number[] = [];
    for await (const { value } of stream) values.push(value);
    expect(values).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    await stream.close();

    const [first, second] = greeter.requests as [BareRequest, BareRequest];
    expect(JSON.parse(first.body)).toEqual({});
    expect(JSON.parse(second.body)).toEqual({ to: 100 });
    for (const { Header } of [first, second]) {
      expect(Header).toMatchObject({
        'Micro-Endpoint': 'Greeter.Count',
        'Micro-ID': first.id,
        'Micro-Stream': first.id,
        'Micro-Service': 'greeter',
      });
      expect(Header).not.toHaveProperty('Micro-Error');
    }
    expect(greeter.inboxes.size).toBe(1);
  });

  test('both ways, and says its end as Go does', async () => {
    await using stage = await open();
    const greeter = await stage.greeter((request) => {
      if (request.isEnd || request.body.trim() === '{}') return [];
      return [request.value(request.body.toUpperCase())];
    });
    const before = await stage.subscriptions();
    const stream = await stage.client.stream<unknown, unknown>('greeter', 'Greeter.Chat');
    for (const text of ['one', 'two']) {
      await stream.send({ text });
      expect(await stream.receive()).toEqual({ TEXT: text.toUpperCase() });
    }
    await stream.close();
    await expect.poll(() => greeter.requests.at(-1)?.isEnd).toBe(true);
    expect(greeter.requests.filter(({ isEnd }) => isEnd)).toHaveLength(1);
    expect(greeter.requests.at(-1)?.body).toBe('');
    expect(await stage.subscriptions()).toBeLessThanOrEqual(before + 6);
  });

  test('until its handler fails', async () => {
    await using stage = await open();
    const text = '{"id":"greeter","code":404,"detail":"enough","status":"Not Found"}';
    await stage.greeter((request) => (request.isEnd ? [] : [request.value('{"value":1}'), request.failure(text)]));
    await using stream = await stage.client.stream('greeter', 'Greeter.Count');
    expect(await stream.receive()).toEqual({ value: 1 });
    await expect(stream.receive()).rejects.toMatchObject({ code: 'remote', remote: { code: 404, detail: 'enough' } });
  });
});
