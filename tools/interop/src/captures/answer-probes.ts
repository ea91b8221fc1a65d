import { type BareRequest, BareService, bareEnvelope, bareFailure, bareSuccess } from '../bare-service.ts';
import { type PeerLine, PeerProcess } from '../peer-process.ts';
import { helloCall, outcomeOf, type Probe } from './probe.ts';

/**
 * How one call of a Go client ends when the server answers so, how often it asked, and whether the next call is right.
 */
function answered(answer: (request: BareRequest, index: number) => void, more: PeerLine = {}): Probe['run'] {
  return async ({ binary, nats, bare }) => {
    await using client = await PeerProcess.start(binary, ['client', '--nats', nats]);
    let isCalm = false;
    using service = new BareService(bare, 'probe', (request, index) =>
      isCalm ? request.reply(bareSuccess(request, '{"msg":"next"}\n')) : answer(request, index),
    );
    const first = await client.command({ ...helloCall, ...more });
    const asked = service.requests.length;
    isCalm = true;
    const next = await client.command({ ...helloCall, timeoutMs: 3_000, retries: 0 });
    return { requests: asked, ...outcomeOf(first), next: next.ok ? next.body : next.error };
  };
}

function fails(text: string): Probe['run'] {
  return answered((request) => request.reply(bareFailure(request, text)));
}

/** What a Go client makes of what servers may answer. */
export const answerProbes: readonly Probe[] = [
  {
    id: 'answer-404',
    title: 'a Go client gets 404, by default options',
    run: fails('{"id":"greeter","code":404,"detail":"x","status":"Not Found"}'),
  },
  {
    id: 'answer-500',
    title: 'a Go client gets 500, by default options',
    run: fails('{"id":"greeter","code":500,"detail":"x","status":"Internal Server Error"}'),
  },
  {
    id: 'answer-408',
    title: 'a Go client gets 408, by default options',
    run: fails('{"id":"greeter","code":408,"detail":"x","status":"Request Timeout"}'),
  },
  { id: 'answer-plain', title: 'a Go client gets an error that is plain text', run: fails('oh no') },
  { id: 'answer-eos', title: 'a Go client gets EOS to a unary call', run: fails('EOS') },
  {
    id: 'answer-never',
    title: 'a Go client gets no answer, without retries',
    run: answered(() => undefined, { retries: 0 }),
  },
  {
    id: 'answer-late',
    title: 'the answer comes after the call has timed out',
    run: answered((request) => void setTimeout(() => request.reply(bareSuccess(request, '{"msg":"late"}\n')), 500), {
      timeoutMs: 200,
      retries: 0,
    }),
  },
  {
    id: 'answer-twice',
    title: 'two answers to one request',
    run: answered((request) => {
      request.reply(bareSuccess(request, '{"msg":"one"}\n'));
      request.reply(bareSuccess(request, '{"msg":"two"}\n'));
    }),
  },
  {
    id: 'answer-wrong-id',
    title: 'the answer has another id',
    run: answered((request) =>
      request.reply(
        bareEnvelope({ 'Content-Type': 'application/json', 'Micro-ID': '999', 'Micro-Id': '999' }, '{"msg":"x"}'),
      ),
    ),
  },
  {
    id: 'answer-no-headers',
    title: 'the answer has no headers at all',
    run: answered((request) => request.reply(bareEnvelope({}, '{"msg":"x"}'))),
  },
  {
    id: 'answer-null-header',
    title: 'the answer has Header null',
    run: answered((request) => request.reply('{"Header":null,"Body":"eyJtc2ciOiJ4In0="}')),
  },
  {
    id: 'answer-more-keys',
    title: 'the answer has unknown keys and headers, and no newline',
    run: answered((request) => request.reply('{"Header":{"Z":"1"},"Extra":{"a":[1]},"Body":"eyJtc2ciOiJ4In0="}')),
  },
  {
    id: 'answer-empty-body',
    title: 'success with an empty body',
    run: answered((request) => request.reply(bareEnvelope({ 'Content-Type': 'application/json' }, '')), { retries: 0 }),
  },
  {
    id: 'answer-null-body',
    title: 'success with a null body',
    run: answered((request) => request.reply(bareEnvelope({ 'Content-Type': 'application/json' }, null)), {
      retries: 0,
    }),
  },
  {
    id: 'answer-bad-json-body',
    title: 'success with a body that is not JSON',
    run: answered((request) => request.reply(bareEnvelope({ 'Content-Type': 'application/json' }, '{nope')), {
      retries: 0,
    }),
  },
  {
    id: 'answer-not-json',
    title: 'the answer is not JSON',
    run: answered((request) => request.reply('nope'), { retries: 0 }),
  },
  {
    id: 'answer-empty-payload',
    title: 'the answer is an empty payload',
    run: answered((request) => request.reply(''), { retries: 0 }),
  },
  {
    id: 'answer-text-plain',
    title: 'the answer is text/plain without Micro-Error',
    run: answered(
      (request) => request.reply(bareEnvelope({ 'Content-Type': 'text/plain' }, 'unsupported Content-Type: x')),
      { retries: 0 },
    ),
  },
  {
    id: 'answer-text-plain-error',
    title: 'the answer is text/plain with Micro-Error',
    run: answered(
      (request) =>
        request.reply(
          bareEnvelope({ 'Content-Type': 'text/plain', 'Micro-Error': 'unsupported' }, 'unsupported Content-Type: x'),
        ),
      { retries: 0 },
    ),
  },
  {
    id: 'answer-nats-headers',
    title: 'the answer carries NATS headers',
    run: async ({ binary, nats, bare }) => {
      await using client = await PeerProcess.start(binary, ['client', '--nats', nats]);
      using _service = new BareService(bare, 'probe', (request) =>
        bare.publishWithHeaders(request.inbox, 'NATS/1.0\r\nTs-Micro: 1\r\n\r\n', bareSuccess(request, '{"msg":"x"}')),
      );
      return outcomeOf(await client.command(helloCall));
    },
  },
];
