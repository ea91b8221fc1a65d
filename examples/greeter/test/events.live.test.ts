import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { BarePeer, base64, bodyOf } from './bare-peer.ts';
import { GreeterProcess, natsFlags } from './greeter-process.ts';

function said(greeter: GreeterProcess): string[] {
  return greeter.stdout.filter((line) => line.startsWith('say '));
}

describe('an event of a bare peer on greeter.say', () => {
  test('is said by one of the two greeters of the queue', async () => {
    await using server = await startNatsServer();
    await using one = await GreeterProcess.serve(natsFlags(server.address));
    await using two = await GreeterProcess.serve(natsFlags(server.address));
    await using peer = await BarePeer.connect(server.url);
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    for (const [index, text] of texts.entries()) {
      // Peers of today and old ones spell the id differently.
      const id = `"${index % 2 === 0 ? 'Micro-ID' : 'Micro-Id'}":"0b6a1f0e-8a3c-4c39-9d2b-52a8b0f5d0d1"`;
      const header = `{"Content-Type":"application/json",${id},"Micro-Topic":"greeter.say"}`;
      peer.publish('greeter.say', `{"Header":${header},"Body":"${base64(`{"text":"${text}"}\n`)}"}`);
    }
    const all = () => [...said(one), ...said(two)];
    await expect.poll(() => all().length).toBe(texts.length);
    expect(all().sort()).toEqual(texts.map((text) => `say ${text}`).sort());

    // Their ends come after everything they were sent.
    for (const greeter of [one, two]) {
      greeter.signal('SIGTERM');
      expect(await greeter.ended()).toMatchObject({ code: 0, stderr: [] });
    }
    expect(all()).toHaveLength(texts.length);
  });

  test('that does not parse does no harm', async () => {
    await using server = await startNatsServer();
    await using greeter = await GreeterProcess.serve(natsFlags(server.address));
    await using peer = await BarePeer.connect(server.url);
    const header = '{"Content-Type":"application/json","Micro-Topic":"greeter.say"}';
    for (const payload of ['', '{', 'null', `{"Header":${header},"Body":"${base64('{"text"')}"}`, '{"Header":7}']) {
      peer.publish('greeter.say', payload);
    }
    peer.publish('greeter.say', `{"Header":${header},"Body":"${base64('{"text":"alive"}')}"}`);
    await greeter.line(/^say alive$/);
  });
});

test('a bare peer sees greeter.greeted after each hello, as Go Micro publishes events', async () => {
  await using server = await startNatsServer();
  await using greeter = await GreeterProcess.serve(natsFlags(server.address));
  await using peer = await BarePeer.connect(server.url);
  const greeted = await peer.listen('greeter.greeted');
  const header =
    '{"Content-Type":"application/json","Micro-ID":"0","Micro-Endpoint":"Greeter.Hello","Micro-Service":"greeter"}';
  const hello = (name: string) => `{"Header":${header},"Body":"${base64(`{"name":"${name}"}`)}"}`;
  await peer.exchange(greeter.address, hello('John'), hello('Ann'));
  const events = await greeted.count(2);
  expect(events.map((event) => JSON.parse(bodyOf(event)))).toEqual([{ name: 'John' }, { name: 'Ann' }]);
  const ids = events.map(({ Header }) => Header['Micro-ID']);
  expect(new Set(ids).size).toBe(2);
  for (const { Header } of events) {
    expect(Header).toMatchObject({ 'Content-Type': 'application/json', 'Micro-Topic': 'greeter.greeted' });
    expect(Header['Micro-ID']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(Header['Micro-Id']).toBe(Header['Micro-ID']);
  }
});
