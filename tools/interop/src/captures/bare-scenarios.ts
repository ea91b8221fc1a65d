import { freshInbox } from '../bare-nats.ts';
import type { Generation } from '../generation.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

const service = 'greeter';

/** Sends an envelope to the server from outside and returns how many messages came back within 400 ms. */
function bareMessages(...envelopes: readonly ((context: ScenarioContext) => string)[]): Scenario['run'] {
  return async (context) => {
    const inbox = freshInbox();
    let answers = 0;
    const stop = context.bare.subscribe(inbox, () => {
      answers += 1;
    });
    const from = context.server.log.length;
    for (const envelope of envelopes) {
      context.bare.publish(context.address, envelope(context), inbox);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    stop();
    return { answers, log: withoutTimes(context.server.log.slice(from)) };
  };
}

function withoutTimes(log: string): string[] {
  return log
    .split('\n')
    .map((line) => line.replace(/^(time=\S+|\S+ \S+) +/, ''))
    .filter((line) => line !== '' && !/^(\s|goroutine|\S+\(.*\)$|created by)/.test(line))
    .slice(0, 6);
}

function envelope(header: Readonly<Record<string, string>>, body: string | null): string {
  const encoded = body === null ? null : Buffer.from(body).toString('base64');
  return JSON.stringify({ Header: header, Body: encoded });
}

function requestHeader(generation: Generation, endpoint: string, id: string): Record<string, string> {
  return {
    Accept: 'application/json',
    'Content-Type': 'application/json',
    'Micro-Endpoint': endpoint,
    [generation.idHeader]: id,
    'Micro-Method': endpoint,
    'Micro-Service': service,
    Timeout: '5000000000',
  };
}

const hello = (change: (header: Record<string, string>, generation: Generation) => void = () => undefined) => {
  return ({ generation }: ScenarioContext): string => {
    const header = requestHeader(generation, 'Greeter.Hello', '77');
    change(header, generation);
    return envelope(header, '{"name":"bare"}');
  };
};

/** What only a stranger says to a Go server. */
export const bareScenarios: readonly Scenario[] = [
  {
    id: 'event-over-transport-unknown',
    title: 'an event over the transport on a topic nobody handles',
    between: 'bare->go',
    run: bareMessages(() => envelope({ 'Content-Type': 'application/json', 'Micro-Topic': 'no.such.topic' }, '{}')),
  },
  {
    id: 'bare-no-content-type',
    title: 'a request without Content-Type',
    between: 'bare->go',
    run: bareMessages(hello((header) => delete header['Content-Type'])),
  },
  {
    id: 'bare-unsupported-content-type',
    title: 'an unknown Content-Type',
    between: 'bare->go',
    run: bareMessages(
      hello((header) => {
        header['Content-Type'] = 'application/x-foo';
      }),
    ),
  },
  {
    id: 'bare-content-type-parameter',
    title: 'a Content-Type with a parameter',
    between: 'bare->go',
    run: bareMessages(
      hello((header) => {
        header['Content-Type'] = 'application/json; charset=utf-8';
      }),
    ),
  },
  {
    id: 'bare-both-ids',
    title: 'both spellings of the request id',
    between: 'bare->go',
    run: bareMessages(
      hello((header) => {
        header['Micro-Id'] = '77';
        header['Micro-ID'] = '77';
      }),
    ),
  },
  {
    id: 'bare-other-id',
    title: 'only the spelling of the request id that this generation does not use',
    between: 'bare->go',
    run: bareMessages(
      hello((header, generation) => {
        delete header[generation.idHeader];
        header[generation.idHeader === 'Micro-Id' ? 'Micro-ID' : 'Micro-Id'] = '77';
      }),
    ),
  },
  {
    id: 'bare-error-both-ids',
    title: 'an error to a request with both spellings',
    between: 'bare->go',
    run: bareMessages(({ generation }) =>
      envelope(
        { ...requestHeader(generation, 'Greeter.Fail', '5'), 'Micro-Id': '5', 'Micro-ID': '5' },
        '{"code":404,"detail":"x"}',
      ),
    ),
  },
  {
    id: 'bare-x-headers',
    title: 'the X- spelling of service, method and endpoint',
    between: 'bare->go',
    run: bareMessages(({ generation }) =>
      envelope(
        {
          'Content-Type': 'application/json',
          'X-Micro-Service': service,
          'X-Micro-Method': 'Greeter.Hello',
          'X-Micro-Endpoint': 'Greeter.Hello',
          [generation.idHeader]: '9',
        },
        '{"name":"x"}',
      ),
    ),
  },
  {
    id: 'bare-method-only',
    title: 'Micro-Method without Micro-Endpoint',
    between: 'bare->go',
    run: bareMessages(hello((header) => delete header['Micro-Endpoint'])),
  },
  {
    id: 'bare-json-rpc-only',
    title: 'a JSON-RPC body with nothing but a Content-Type of application/json',
    between: 'bare->go',
    run: bareMessages(() =>
      envelope({ 'Content-Type': 'application/json' }, '{"method":"Greeter.Hello","params":[{"name":"rpc"}],"id":"3"}'),
    ),
  },
  {
    id: 'bare-empty-body',
    title: 'a request with a null body',
    between: 'bare->go',
    run: bareMessages(({ generation }) => envelope(requestHeader(generation, 'Greeter.Hello', '10'), null)),
  },
  {
    id: 'bare-echo-empty-body',
    title: 'an echo of nothing',
    between: 'bare->go',
    run: bareMessages(({ generation }) => envelope(requestHeader(generation, 'Greeter.Echo', '10'), '')),
  },
  {
    id: 'bare-broken-body',
    title: 'a body that is not JSON',
    between: 'bare->go',
    run: bareMessages(({ generation }) => envelope(requestHeader(generation, 'Greeter.Hello', '11'), '{nope')),
  },
  {
    id: 'bare-null-header',
    title: 'Header null',
    between: 'bare->go',
    run: bareMessages(() => '{"Header":null,"Body":"e30="}'),
  },
  { id: 'bare-no-header', title: 'no Header key', between: 'bare->go', run: bareMessages(() => '{"Body":"e30="}') },
  {
    id: 'bare-not-json',
    title: 'a payload that is not JSON, then a good request on the same inbox',
    between: 'bare->go',
    run: bareMessages(() => 'not json', hello()),
  },
  {
    id: 'bare-empty-payload',
    title: 'an empty payload, then a good request on the same inbox',
    between: 'bare->go',
    run: bareMessages(() => '', hello()),
  },
  {
    id: 'bare-number-header',
    title: 'a header value that is a number',
    between: 'bare->go',
    run: bareMessages((context) => hello()(context).replace('"5000000000"', '5000000000')),
  },
  {
    id: 'bare-lower-case-keys',
    title: 'envelope keys in lower case, an unknown key',
    between: 'bare->go',
    run: bareMessages((context) =>
      hello()(context).replace('"Header"', '"header"').replace('"Body"', '"more":1,"body"'),
    ),
  },
  {
    id: 'bare-url-safe-base64',
    title: 'a body in the URL-safe base64 alphabet',
    between: 'bare->go',
    run: bareMessages((context) => hello()(context).replace(/"Body":"[^"]*"/, '"Body":"eyJuYW1lIjoi4oC-In0"')),
  },
  {
    id: 'bare-same-id',
    title: 'a second request with the id of one still running',
    between: 'bare->go',
    run: bareMessages(
      ...['first', 'second'].map(
        () =>
          ({ generation }: ScenarioContext) =>
            envelope(requestHeader(generation, 'Greeter.Sleep', '12'), '{"ms":350}'),
      ),
    ),
  },
  {
    id: 'bare-interleaved',
    title: 'two requests on one inbox, the slower one first',
    between: 'bare->go',
    run: bareMessages(
      ({ generation }) => envelope(requestHeader(generation, 'Greeter.Sleep', '20'), '{"ms":350}'),
      ({ generation }) => envelope(requestHeader(generation, 'Greeter.Sleep', '21'), '{"ms":1}'),
    ),
  },
  {
    id: 'bare-connection-close',
    title: 'Connection: close and a handler that takes its time',
    between: 'bare->go',
    run: bareMessages(({ generation }) =>
      envelope({ ...requestHeader(generation, 'Greeter.Sleep', '30'), Connection: 'close' }, '{"ms":150}'),
    ),
  },
  {
    id: 'bare-connection-close-without-timeout',
    title: 'Connection: close without a Timeout',
    between: 'bare->go',
    run: bareMessages(({ generation }) => {
      const { Timeout, ...header } = requestHeader(generation, 'Greeter.Sleep', '31');
      return envelope({ ...header, Connection: 'close' }, '{"ms":150}');
    }),
  },
  {
    id: 'bare-timeout-zero',
    title: 'Timeout 0',
    between: 'bare->go',
    run: bareMessages(({ generation }) =>
      envelope({ ...requestHeader(generation, 'Greeter.Sleep', '32'), Timeout: '0' }, '{"ms":50}'),
    ),
  },
  {
    id: 'bare-timeout-text',
    title: 'a Timeout that is no number',
    between: 'bare->go',
    run: bareMessages(({ generation }) =>
      envelope({ ...requestHeader(generation, 'Greeter.Sleep', '33'), Timeout: 'soon' }, '{"ms":50}'),
    ),
  },
  {
    id: 'bare-late-eos',
    title: 'an EOS for a stream that is not there, then a request on the same inbox',
    between: 'bare->go',
    run: bareMessages(
      ({ generation }) =>
        envelope(
          { ...requestHeader(generation, 'Greeter.Count', '40'), 'Micro-Stream': '40', 'Micro-Error': 'EOS' },
          null,
        ),
      hello(),
    ),
  },
  {
    id: 'bare-eos-while-busy',
    title: 'an EOS for a stream that is not there while a request runs on the same inbox',
    between: 'bare->go',
    run: bareMessages(
      ({ generation }) => envelope(requestHeader(generation, 'Greeter.Sleep', '41'), '{"ms":350}'),
      ({ generation }) =>
        envelope(
          { ...requestHeader(generation, 'Greeter.Count', '42'), 'Micro-Stream': '42', 'Micro-Error': 'EOS' },
          null,
        ),
    ),
  },
  {
    id: 'bare-stream-one-message',
    title: 'a stream whose request is in the opener and nowhere else',
    between: 'bare->go',
    run: bareMessages(({ generation }) =>
      envelope({ ...requestHeader(generation, 'Greeter.Count', '50'), 'Micro-Stream': '50' }, '{"to":2}'),
    ),
  },
  {
    id: 'bare-stream-empty-opener',
    title: 'a stream whose opener has a null body',
    between: 'bare->go',
    run: bareMessages(
      ({ generation }) => envelope({ ...requestHeader(generation, 'Greeter.Count', '51'), 'Micro-Stream': '51' }, null),
      ({ generation }) =>
        envelope({ ...requestHeader(generation, 'Greeter.Count', '51'), 'Micro-Stream': '51' }, '{"to":2}'),
    ),
  },
  {
    id: 'bare-stream-message-headers',
    title: 'a stream message with no headers but id, stream and content type',
    between: 'bare->go',
    run: bareMessages(
      ({ generation }) => envelope({ ...requestHeader(generation, 'Greeter.Chat', '52'), 'Micro-Stream': '52' }, '{}'),
      ({ generation }) =>
        envelope(
          { 'Content-Type': 'application/json', [generation.idHeader]: '52', 'Micro-Stream': '52' },
          '{"text":"lean"}',
        ),
    ),
  },
  {
    id: 'bare-stream-unary-method',
    title: 'a unary method opened as a stream',
    between: 'bare->go',
    run: bareMessages(({ generation }) =>
      envelope({ ...requestHeader(generation, 'Greeter.Hello', '53'), 'Micro-Stream': '53' }, '{"name":"s"}'),
    ),
  },
  {
    id: 'bare-stream-method-unary',
    title: 'a stream method called without a stream id',
    between: 'bare->go',
    run: bareMessages(({ generation }) => envelope(requestHeader(generation, 'Greeter.Count', '54'), '{"to":2}')),
  },
];
