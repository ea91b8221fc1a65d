import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { BarePeer, base64, bodyOf, type Envelope } from './bare-peer.ts';
import { GreeterProcess, natsFlags } from './greeter-process.ts';

interface Stage extends AsyncDisposable {
  readonly greeter: GreeterProcess;
  readonly peer: BarePeer;
  /** Sends one payload as a client's socket does and gives back the one answer. */
  ask(payload: string): Promise<Envelope>;
}

async function open(): Promise<Stage> {
  const server = await startNatsServer();
  const greeter = await GreeterProcess.serve(natsFlags(server.address));
  const peer = await BarePeer.connect(server.url);
  return {
    greeter,
    peer,
    ask: async (payload) => (await peer.exchange(greeter.address, payload))[0] as Envelope,
    async [Symbol.asyncDispose]() {
      await peer[Symbol.asyncDispose]();
      await greeter[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A request as the JSON of a Go client of v4.10 or later. */
function request(endpoint: string, body: string, id = '7', contentType = 'application/json'): string {
  return `{"Header":{"Accept":"${contentType}","Content-Type":"${contentType}","Micro-Endpoint":"${endpoint}","Micro-ID":"${id}","Micro-Method":"${endpoint}","Micro-Service":"greeter","Timeout":"5000000000"},"Body":"${base64(body)}"}`;
}

describe('a bare call of Greeter.Hello', () => {
  // {"name":"John"} and a line's end, and {"msg":"Hello John"} likewise.
  const body = '"eyJuYW1lIjoiSm9obiJ9Cg=="';
  const answer = 'eyJtc2ciOiJIZWxsbyBKb2huIn0K';
  const rest = '"Micro-Method":"Greeter.Hello","Micro-Service":"greeter","Timeout":"5000000000"';
  const type = '"Accept":"application/json","Content-Type":"application/json","Micro-Endpoint":"Greeter.Hello"';

  for (const { spelling, ids, answered } of [
    { spelling: 'Micro-ID', ids: '"Micro-ID":"0"', answered: { 'Micro-ID': '0', 'X-Micro-ID': '0' } },
    { spelling: 'Micro-Id', ids: '"Micro-Id":"0"', answered: { 'Micro-Id': '0', 'X-Micro-Id': '0' } },
    {
      spelling: 'both spellings',
      ids: '"Micro-ID":"1","Micro-Id":"1"',
      answered: { 'Micro-ID': '1', 'X-Micro-ID': '1', 'Micro-Id': '1', 'X-Micro-Id': '1' },
    },
  ]) {
    test(`with ${spelling} is answered in kind, and once`, async () => {
      await using stage = await open();
      const received = await stage.peer.listen();
      stage.peer.publish(stage.greeter.address, `{"Header":{${type},${ids},${rest}},"Body":${body}}`, received.subject);
      const headers = { 'Content-Type': 'application/json', ...answered };
      expect(await received.count(1)).toEqual([{ Header: headers, Body: answer }]);
      // What is asked later is answered later, so a second answer would be between the two.
      stage.peer.publish(stage.greeter.address, request('Greeter.Echo', '1', '8'), received.subject);
      expect((await received.count(2))[1]?.Header['Micro-ID']).toBe('8');
    });
  }

  for (const { peer, id, legacy } of [
    {
      peer: 'a peer of today',
      id: 'Micro-ID',
      legacy: '{"params":[{"name":"John"}],"id":"0","method":"Greeter.Hello"}\n',
    },
    {
      peer: 'an old peer',
      id: 'Micro-Id',
      legacy: '{"method":"Greeter.Hello","params":[{"name":"John"}],"id":"0"}\n',
    },
  ]) {
    test(`in the JSON-RPC of ${peer} is answered in JSON-RPC`, async () => {
      await using stage = await open();
      const header = `"Accept":"application/json","Content-Type":"application/json-rpc","Micro-Endpoint":"Greeter.Hello","${id}":"0"`;
      expect(await stage.ask(`{"Header":{${header},${rest}},"Body":"${base64(legacy)}"}`)).toEqual({
        Header: { 'Content-Type': 'application/json-rpc', [id]: '0', [`X-${id}`]: '0' },
        Body: base64('{"id":"0","result":{"msg":"Hello John"},"error":null}\n'),
      });
    });
  }

  test('that names its endpoint only in the body is understood as JSON-RPC', async () => {
    await using stage = await open();
    const legacy = base64('{"params":[{"name":"John"}],"id":"0","method":"Greeter.Hello"}\n');
    const answered = await stage.ask(`{"Header":{"Content-Type":"application/json"},"Body":"${legacy}"}`);
    expect(JSON.parse(bodyOf(answered))).toEqual({ id: '0', result: { msg: 'Hello John' }, error: null });
  });
});

describe('a bare call of the other endpoints', () => {
  test('gets back what it sends, who answered, and when it asked to', async () => {
    await using stage = await open();
    const odd = '{"a":[1,null,{"ü":"<&>"}],"":false}';
    expect(JSON.parse(bodyOf(await stage.ask(request('Greeter.Echo', odd))))).toEqual(JSON.parse(odd));
    const { id, pid } = stage.greeter;
    expect(JSON.parse(bodyOf(await stage.ask(request('Greeter.WhoAmI', '{}'))))).toEqual({ id, pid });
    expect(JSON.parse(bodyOf(await stage.ask(request('Greeter.Sleep', '{"ms":20}'))))).toEqual({ ms: 20 });
    expect(JSON.parse(bodyOf(await stage.ask(request('Debug.Health', '{}'))))).toEqual({ status: 'ok' });
  });
});

describe('a bare call that fails', () => {
  const echo = { Accept: 'application/json', 'Content-Type': 'application/json', 'Micro-ID': '7' };

  for (const { how, endpoint, body, text } of [
    {
      how: 'by the will of its handler',
      endpoint: 'Greeter.Fail',
      body: '{"code":404,"detail":"user \\"bob\\" not found"}',
      text: '{"id":"greeter","code":404,"detail":"user \\"bob\\" not found","status":"Not Found"}',
    },
    {
      how: 'with what Go escapes in JSON',
      endpoint: 'Greeter.Fail',
      body: '{"code":500,"detail":"a<b"}',
      text: '{"id":"greeter","code":500,"detail":"a\\u003cb","status":"Internal Server Error"}',
    },
    {
      how: 'with a code of no name',
      endpoint: 'Greeter.Fail',
      body: '{"code":999,"detail":"x"}',
      text: '{"id":"greeter","code":999,"detail":"x"}',
    },
    {
      how: 'because its handler crashes',
      endpoint: 'Greeter.Crash',
      body: '{}',
      text: '{"id":"greeter","code":500,"detail":"the greeter crashed, as it was asked to","status":"Internal Server Error"}',
    },
    { how: 'for want of a service', endpoint: 'Nope.Hello', body: '{}', text: "rpc: can't find service Nope" },
    { how: 'for want of a method', endpoint: 'Greeter.Nope', body: '{}', text: "rpc: can't find method Nope" },
    {
      how: 'for an endpoint that is none',
      endpoint: 'Hello',
      body: '{}',
      text: 'rpc: service/endpoint request ill-formed: Hello',
    },
  ]) {
    test(`${how} gets its headers back with the error`, async () => {
      await using stage = await open();
      const { Header, Body } = await stage.ask(request(endpoint, body));
      expect(Header).toMatchObject({ ...echo, 'Micro-Endpoint': endpoint, 'Micro-Error': text, 'X-Micro-Error': text });
      expect(Body).toBe('');
    });
  }

  test('for a body that does not parse is a 400', async () => {
    await using stage = await open();
    const { Header } = await stage.ask(request('Greeter.Hello', '{"name":'));
    expect(JSON.parse(Header['Micro-Error'] as string)).toMatchObject({ code: 400, status: 'Bad Request' });
    expect(Header['Micro-ID']).toBe('7');
  });

  test('for a content type that nobody knows is told so in plain text', async () => {
    await using stage = await open();
    const answered = await stage.ask(request('Greeter.Hello', 'x', '7', 'application/x-foo'));
    expect(answered.Header['Content-Type']).toBe('text/plain');
    expect(bodyOf(answered)).toBe('unsupported Content-Type: application/x-foo');
  });

  test('does the greeter no harm, whatever it is', async () => {
    await using stage = await open();
    const nonsense = ['', 'x', 'null', '[]', '{}', '{"Header":1}', '{"Header":{"Micro-ID":7}}', '{"Body":"%%%"}'];
    const inbox = await stage.peer.listen();
    for (const payload of nonsense) stage.peer.publish(stage.greeter.address, payload, inbox.subject);
    for (const payload of nonsense) stage.peer.publish(stage.greeter.address, payload);
    expect(bodyOf(await stage.ask(request('Greeter.Echo', '"alive"')))).toBe('"alive"\n');
    for (const { Header } of inbox.envelopes) expect(Header['Micro-Error']).toBeTypeOf('string');
  });
});

describe('a hundred bare calls at once', () => {
  test('on one reply subject are answered as they are done, slow ones last', async () => {
    await using stage = await open();
    // The first ones sleep the longest.
    const naps = Array.from({ length: 100 }, (_, index) => (index < 10 ? 1500 - index : index % 7));
    const payloads = naps.map((ms, index) => request('Greeter.Sleep', `{"ms":${ms}}`, String(index)));
    const answers = await stage.peer.exchange(stage.greeter.address, ...payloads);
    const ids = answers.map(({ Header }) => Number(Header['Micro-ID']));
    expect(new Set(ids).size).toBe(100);
    for (const [index, id] of ids.entries()) expect(JSON.parse(bodyOf(answers[index]))).toEqual({ ms: naps[id] });
    expect(new Set(ids.slice(-10))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });

  test('on a reply subject each are answered there', async () => {
    await using stage = await open();
    const inboxes = await Promise.all(Array.from({ length: 100 }, () => stage.peer.listen()));
    for (const [index, inbox] of inboxes.entries()) {
      stage.peer.publish(stage.greeter.address, request('Greeter.Echo', String(index)), inbox.subject);
    }
    for (const [index, inbox] of inboxes.entries()) {
      const [answer] = await inbox.count(1);
      expect(bodyOf(answer)).toBe(`${index}\n`);
    }
  });
});
