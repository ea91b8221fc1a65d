import type { Message, Socket } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import type { Candidate } from '../../src/client/discovery/selector.ts';
import { type Answer, bodyOf, codeOf, goError, goMetadata, openWorld, until } from './world.ts';

/** A message of a stream as a Go Micro server sends it: no stream id, every header twice. */
function goStreamMessage(opener: Message, value: unknown): Message {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  for (const name of ['Micro-ID', 'Micro-Service', 'Micro-Method', 'Micro-Endpoint']) {
    headers[name] = headers[`X-${name}`] = opener.headers[name] as string;
  }
  return { headers, body: Buffer.from(`${JSON.stringify(value)}\n`) };
}

/**
 * What a Go Micro server does with a streaming handler: the opener's body is ignored, the first payload is the request.
 */
function goStream(
  handler: (request: unknown, send: (value: unknown) => Promise<void>) => Promise<string | undefined>,
): Answer {
  const openers = new Map<Socket, Message>();
  return async (message, socket) => {
    const opener = openers.get(socket);
    if (opener === undefined) {
      openers.set(socket, message);
      return undefined;
    }
    if (message.headers['Micro-Error'] === 'EOS') return undefined;
    const text = await handler(bodyOf(message), (value) => socket.send(goStreamMessage(opener, value)));
    return text === undefined ? undefined : goError(opener, text);
  };
}

const counting = goStream(async (request, send) => {
  for (let value = 1; value <= (request as { to: number }).to; value++) await send({ value });
  return 'EOS';
});

const upper = goStream(async (request, send) => {
  await send({ text: (request as { text: string }).text.toUpperCase() });
  return undefined;
});

describe('a stream', () => {
  it('is opened as Go does it: an opener with an empty object, then the first payload', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: counting });
    const stream = await world.client().stream<{ to: number }, { value: number }>('greeter', 'Greeter.Count');
    await stream.send({ to: 2 });
    const values: number[] = [];
    for await (const { value } of stream) values.push(value);
    expect(values).toEqual([1, 2]);
    const headers = {
      Accept: 'application/json',
      'Content-Type': 'application/json',
      'Micro-Endpoint': 'Greeter.Count',
      'Micro-ID': '0',
      'Micro-Id': '0',
      'Micro-Method': 'Greeter.Count',
      'Micro-Service': 'greeter',
      'Micro-Stream': '0',
    };
    expect(node.messages[0]?.headers).toEqual({ ...headers, 'Micro-Runtime': 'opens' });
    expect(Buffer.from(node.messages[0]?.body ?? []).toString()).toBe('{}\n');
    expect(node.messages[1]?.headers).toEqual({ ...headers, 'Micro-Runtime': 'continues' });
    expect(bodyOf(node.messages[1])).toEqual({ to: 2 });
    expect(await stream.closed).toBe(undefined);
    await until(() => node.open === 0);
    expect(node.messages[2]?.headers).toEqual({ ...headers, 'Micro-Error': 'EOS', 'Micro-Runtime': 'closed' });
  });

  it('that is opened at a second try while its client closes is closed with it', async () => {
    await using world = openWorld();
    const dead = await world.node({ id: 'dead', answer: upper });
    const node = await world.node({ id: 'live', answer: upper });
    await dead.kill();
    // The dead one first.
    const client = world.client({
      selector: (candidates) => (candidates.find(({ node: { id } }) => id === 'dead') ?? candidates[0]) as Candidate,
    });
    const opening = client.stream('greeter', 'Greeter.Chat');
    const closed = client.close();
    const stream = await opening;
    await closed;
    await expect(stream.receive()).rejects.toMatchObject({ code: 'closed' });
    expect(node.open).toBe(0);
  });

  it('carries values both ways until it is closed, which tells the server', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: upper });
    const stream = await world.client().stream('greeter', 'Greeter.Chat');
    for (const text of ['a', 'b', 'c']) {
      await stream.send({ text });
      expect(await stream.receive()).toEqual({ text: text.toUpperCase() });
    }
    await stream.close();
    await until(() => node.open === 0);
    expect(node.messages.at(-1)?.headers['Micro-Error']).toBe('EOS');
    expect(node.messages.at(-1)?.body).toHaveLength(0);
    expect(await codeOf(stream.send({ text: 'd' }))).toBe('closed');
    expect(await codeOf(stream.receive())).toBe('closed');
  });

  it('keeps order over ten thousand values', async () => {
    await using world = openWorld();
    await world.node({ answer: counting });
    const stream = await world.client().stream('greeter', 'Greeter.Count');
    await stream.send({ to: 10_000 });
    let count = 0;
    for await (const value of stream) expect((value as { value: number }).value).toBe(++count);
    expect(count).toBe(10_000);
  });

  it('goes on receiving after its own end', async () => {
    await using world = openWorld();
    const node = await world.node({
      answer: async (message, socket) => {
        if (message.headers['Micro-Error'] !== 'EOS') return undefined;
        await socket.send(goStreamMessage(message, 'last'));
        return goError(message, 'EOS');
      },
    });
    const stream = await world.client().stream('greeter', 'Greeter.Collect');
    await stream.send({ n: 1 });
    await stream.end();
    await stream.end();
    expect(await codeOf(stream.send({ n: 2 }))).toBe('closed');
    expect(await stream.receive()).toBe('last');
    expect(await stream.receive()).toBe(undefined);
    expect(await stream.receive()).toBe(undefined);
    expect(node.messages.filter(({ headers }) => headers['Micro-Error'] === 'EOS')).toHaveLength(1);
  });

  it('ends with the error that the handler failed with', async () => {
    await using world = openWorld();
    const text = '{"id":"greeter","code":404,"detail":"no such room","status":"Not Found"}';
    await world.node({ answer: goStream(async () => text) });
    const stream = await world.client().stream('greeter', 'Greeter.Chat');
    await stream.send({});
    for (let again = 0; again < 2; again++)
      await expect(stream.receive()).rejects.toMatchObject({
        code: 'remote',
        remote: { code: 404, detail: 'no such room' },
      });
    expect(await stream.closed).toMatchObject({ code: 'remote' });
  });

  it('to an unknown endpoint ends as not_found', async () => {
    await using world = openWorld();
    await world.node({ answer: (message) => goError(message, "rpc: can't find method Nope") });
    const stream = await world.client().stream('greeter', 'Greeter.Nope');
    expect(await codeOf(stream.receive())).toBe('not_found');
  });

  it('with a content type that the server does not know ends as unsupported', async () => {
    await using world = openWorld();
    await world.node({
      answer: () => ({
        headers: { 'Content-Type': 'text/plain' },
        body: Buffer.from('unsupported Content-Type: application/json'),
      }),
    });
    const stream = await world.client().stream('greeter', 'Greeter.Chat');
    expect(await codeOf(stream.receive())).toBe('unsupported');
  });

  it('survives a value that does not parse', async () => {
    await using world = openWorld();
    await world.node({
      answer: async (message, socket) => {
        await socket.send({ ...goStreamMessage(message, 1), body: Buffer.from('{') });
        return goStreamMessage(message, 'fine');
      },
    });
    const stream = await world.client().stream('greeter', 'Greeter.Chat');
    expect(await codeOf(stream.receive())).toBe('malformed');
    expect(await stream.receive()).toBe('fine');
  });

  it('whose peer is silent for too long ends as timeout', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: () => undefined });
    const stream = await world.client().stream('greeter', 'Greeter.Chat', { streamIdleMs: 60 });
    await expect(stream.receive()).rejects.toMatchObject({
      code: 'timeout',
      message: `client: greeter Greeter.Chat at ${node.id}: nothing came in 60 ms`,
    });
    await until(() => node.open === 0);
  });

  it('is not ended by silence while nobody receives', async () => {
    await using world = openWorld();
    await world.node({ answer: upper });
    const client = world.client({ streamIdleMs: 60 });
    const stream = await client.stream('greeter', 'Greeter.Chat');
    await stream.send({ text: 'a' });
    expect(await stream.receive()).toEqual({ text: 'A' });
    // Another stream, opened later, is through with its time: so is this one, had it run.
    const other = await client.stream('greeter', 'Greeter.Chat');
    expect(await codeOf(other.receive())).toBe('timeout');
    await stream.send({ text: 'b' });
    expect(await stream.receive()).toEqual({ text: 'B' });
  });

  it('whose peer closes without an end is unavailable', async () => {
    await using world = openWorld();
    await world.node({ answer: async (_message, socket) => void (await socket.close()) as never });
    const stream = await world.client().stream('greeter', 'Greeter.Chat');
    expect(await codeOf(stream.receive())).toBe('unavailable');
    expect(await stream.closed).toMatchObject({ code: 'unavailable' });
  });

  it('loses nothing to an aborted receive', async () => {
    await using world = openWorld();
    await world.node({ answer: upper });
    const stream = await world.client().stream('greeter', 'Greeter.Chat');
    expect(await codeOf(stream.receive({ signal: AbortSignal.timeout(20) }))).toBe('timeout');
    await stream.send({ text: 'a' });
    expect(await stream.receive()).toEqual({ text: 'A' });
  });

  it('is ended by the signal it was opened with', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: upper });
    const controller = new AbortController();
    const stream = await world.client().stream('greeter', 'Greeter.Chat', { signal: controller.signal });
    const pending = stream.receive();
    controller.abort('enough');
    await expect(pending).rejects.toMatchObject({ code: 'canceled', cause: 'enough' });
    await until(() => node.open === 0);
    expect(node.messages.at(-1)?.headers['Micro-Error']).toBe('EOS');
  });

  it('is ended by the context it was opened with, and tells the server of its deadline', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: upper });
    const controller = new AbortController();
    const context = { metadata: { 'Trace-Id': '1' }, deadline: Date.now() + 3000, signal: controller.signal };
    const stream = await world.client().stream('greeter', 'Greeter.Chat', { context });
    const pending = stream.receive();
    controller.abort();
    expect(await codeOf(pending)).toBe('canceled');
    expect(node.messages[0]?.headers['Trace-Id']).toBe('1');
    expect(Number(node.messages[0]?.headers.Timeout)).toBeGreaterThan(0);
  });

  it('has a socket of its own that no call uses', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: upper });
    const client = world.client();
    const streams = await Promise.all([1, 2, 3].map(() => client.stream('greeter', 'Greeter.Chat')));
    await until(() => node.open === 3);
    for (const stream of streams) await stream.close();
    await until(() => node.open === 0);
    await (await client.stream('greeter', 'Greeter.Chat')).close();
    await until(() => node.accepted === 4);
  });

  it('passes over a dead node while it opens', async () => {
    await using world = openWorld();
    const dead = await world.node();
    await world.node({ answer: upper });
    await dead.kill();
    const client = world.client();
    for (let round = 0; round < 8; round++) {
      await using stream = await client.stream('greeter', 'Greeter.Chat');
      await stream.send({ text: 'a' });
      expect(await stream.receive()).toEqual({ text: 'A' });
    }
  });

  it('of an unknown service is not_found, and of a dead one unavailable', async () => {
    await using world = openWorld();
    const client = world.client();
    expect(await codeOf(client.stream('nobody', 'Greeter.Chat'))).toBe('not_found');
    const node = await world.node();
    await node.kill();
    await expect.poll(() => codeOf(client.stream('greeter', 'Greeter.Chat'))).toBe('unavailable');
  });

  it('wraps values for a node without protocol metadata', async () => {
    await using world = openWorld();
    const node = await world.node({
      metadata: { ...goMetadata, protocol: '' },
      answer: (message) => ({
        ...goStreamMessage(message, null),
        body: Buffer.from('{"id":"0","result":{"value":1},"error":null}\n'),
      }),
    });
    const stream = await world.client().stream('greeter', 'Greeter.Count');
    expect(await stream.receive()).toEqual({ value: 1 });
    expect(bodyOf(node.messages[0])).toEqual({ params: [{}], id: '0', method: 'Greeter.Count' });
  });

  it('is closed with its client', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: upper });
    const client = world.client();
    const stream = await client.stream('greeter', 'Greeter.Chat');
    const pending = stream.receive();
    await client.close();
    expect(await pending).toBe(undefined);
    expect(await stream.closed).toBe(undefined);
    await until(() => node.open === 0);
  });

  it.each([0, -1, Number.NaN])('with streamIdleMs %s is invalid', async (streamIdleMs) => {
    await using world = openWorld();
    await world.node();
    expect(await codeOf(world.client().stream('greeter', 'Greeter.Chat', { streamIdleMs }))).toBe('invalid');
  });
});
