import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { BarePeer, base64, bodyOf, type Envelope } from './bare-peer.ts';
import { GreeterProcess, natsFlags } from './greeter-process.ts';

/** One message of a stream as a Go client sends it; the opener is the first, its body an empty message. */
function frame(endpoint: string, body: string | null, id = '3'): string {
  const header = `"Accept":"application/json","Content-Type":"application/json","Micro-Endpoint":"${endpoint}","Micro-ID":"${id}","Micro-Method":"${endpoint}","Micro-Service":"greeter","Micro-Stream":"${id}"`;
  return body === null
    ? `{"Header":{${header},"Micro-Error":"EOS"},"Body":null}`
    : `{"Header":{${header}},"Body":"${base64(body)}"}`;
}

function opener(endpoint: string, id?: string): string {
  return frame(endpoint, '{}\n', id);
}

function end(endpoint: string, id?: string): string {
  return frame(endpoint, null, id);
}

/** What a Go server sends with every value of a stream. */
function valueHeaders(endpoint: string): Record<string, string> {
  const named = { 'Micro-Endpoint': endpoint, 'Micro-ID': '3', 'Micro-Method': endpoint, 'Micro-Service': 'greeter' };
  const copies = Object.entries(named).map(([name, value]) => [`X-${name}`, value]);
  return { 'Content-Type': 'application/json', ...named, ...Object.fromEntries(copies) };
}

/** What a Go server ends a stream with: the opener's headers. */
function endOf(endpoint: string): Envelope {
  const { Header } = JSON.parse(opener(endpoint)) as Envelope;
  return { Header: { ...Header, 'Micro-Error': 'EOS', 'X-Micro-Error': 'EOS' }, Body: '' };
}

describe('a bare stream of Greeter.Count', () => {
  test('is opened as Go does, counts, and ends', async () => {
    await using server = await startNatsServer();
    await using greeter = await GreeterProcess.serve(natsFlags(server.address));
    await using peer = await BarePeer.connect(server.url);
    const received = await peer.listen();
    peer.publish(greeter.address, opener('Greeter.Count'), received.subject);
    peer.publish(greeter.address, frame('Greeter.Count', '{"to":1000}\n'), received.subject);
    const messages = await received.count(1001);
    const values = messages.slice(0, -1);
    expect(values.map((message) => JSON.parse(bodyOf(message)).value)).toEqual(
      Array.from({ length: 1000 }, (_, index) => index + 1),
    );
    for (const { Header } of values) expect(Header).toEqual(valueHeaders('Greeter.Count'));
    expect(messages.at(-1)).toEqual(endOf('Greeter.Count'));

    // The client's own end, which comes when all is over, is neither answered nor a new stream.
    peer.publish(greeter.address, end('Greeter.Count'), received.subject);
    await peer.exchange(greeter.address, opener('Greeter.Nope'));
    expect(received.payloads).toHaveLength(1001);
  });

  test('that nobody reads any more is given up', async () => {
    await using server = await startNatsServer();
    await using greeter = await GreeterProcess.serve(natsFlags(server.address));
    await using peer = await BarePeer.connect(server.url);
    const received = await peer.listen();
    peer.publish(greeter.address, opener('Greeter.Count'), received.subject);
    peer.publish(greeter.address, frame('Greeter.Count', '{"to":1000000000}\n'), received.subject);
    await received.count(10);
    received.stop();
    // While it counts, the server's own number of incoming messages grows.
    let before = -1;
    await expect
      .poll(
        async () => {
          const { in_msgs } = (await server.monitor('varz')) as { in_msgs: number };
          const more = in_msgs - before;
          before = in_msgs;
          return more;
        },
        { interval: 200 },
      )
      .toBeLessThan(10);
    const [answer] = await peer.exchange(
      greeter.address,
      '{"Header":{"Content-Type":"application/json","Micro-Endpoint":"Greeter.Echo","Micro-ID":"1","Micro-Service":"greeter"},"Body":"Nw=="}',
    );
    expect(bodyOf(answer)).toBe('7\n');
    // A handler that still ran would be waited for, and then named as abandoned.
    greeter.signal('SIGTERM');
    expect(await greeter.ended()).toMatchObject({ code: 0, stderr: [] });
  });
});

describe('a bare stream of Greeter.Chat', () => {
  test('answers each message, and ends silently when the client does', async () => {
    await using server = await startNatsServer();
    await using greeter = await GreeterProcess.serve(natsFlags(server.address));
    await using peer = await BarePeer.connect(server.url);
    const received = await peer.listen();
    peer.publish(greeter.address, opener('Greeter.Chat'), received.subject);
    for (const [index, text] of ['one', 'two', 'drei ß'].entries()) {
      peer.publish(greeter.address, frame('Greeter.Chat', `{"text":"${text}"}\n`), received.subject);
      const messages = await received.count(index + 1);
      expect(messages[index]?.Header).toEqual(valueHeaders('Greeter.Chat'));
      expect(JSON.parse(bodyOf(messages[index]))).toEqual({ text: text.toUpperCase() });
    }
    peer.publish(greeter.address, end('Greeter.Chat'), received.subject);
    await received.count(4);
    expect(received.envelopes[3]).toEqual(endOf('Greeter.Chat'));
  });

  test('goes on beside another on the same reply subject', async () => {
    await using server = await startNatsServer();
    await using greeter = await GreeterProcess.serve(natsFlags(server.address));
    await using peer = await BarePeer.connect(server.url);
    const received = await peer.listen();
    for (const id of ['a', 'b']) peer.publish(greeter.address, opener('Greeter.Chat', id), received.subject);
    for (const id of ['a', 'b', 'a']) {
      peer.publish(greeter.address, frame('Greeter.Chat', `{"text":"to ${id}"}`, id), received.subject);
    }
    const messages = await received.count(3);
    expect(messages.map((message) => [message.Header['Micro-ID'], JSON.parse(bodyOf(message)).text]).sort()).toEqual([
      ['a', 'TO A'],
      ['a', 'TO A'],
      ['b', 'TO B'],
    ]);
  });

  test('fails where its handler does, with the text of the error', async () => {
    await using server = await startNatsServer();
    await using greeter = await GreeterProcess.serve(natsFlags(server.address));
    await using peer = await BarePeer.connect(server.url);
    const received = await peer.listen();
    peer.publish(greeter.address, opener('Greeter.Chat'), received.subject);
    peer.publish(greeter.address, frame('Greeter.Chat', '{"text":7}'), received.subject);
    const [failure] = await received.count(1);
    expect(JSON.parse(failure?.Header['Micro-Error'] as string)).toMatchObject({ id: 'greeter', code: 500 });
    expect(failure?.Header).toMatchObject({ 'Micro-Stream': '3', 'Micro-ID': '3' });
  });
});
