import type { Generation } from '../generation.ts';
import { PeerProcess } from '../peer-process.ts';
import { helloCall, type Probe, type ProbeContext, sleep } from './probe.ts';

/** Which of these payloads on a subject make a fresh Go process end. */
function survives(
  subject: (generation: Generation) => string,
  payloads: readonly string[],
  start: (context: ProbeContext) => Promise<PeerProcess>,
): Probe['run'] {
  return async (context) => {
    const outcomes: Record<string, string> = {};
    for (const payload of payloads) {
      await using peer = await start(context);
      await sleep(100);
      context.bare.publish(subject(context.generation), payload, '_INBOX.nobodyReadsThisInbox00');
      await context.bare.flush();
      await sleep(400);
      const panic = /panic: .*/.exec(peer.log)?.[0];
      const last = peer.lines.at(-1);
      outcomes[payload] = peer.hasExited
        ? `dies: ${panic}`
        : `lives${last?.event === 'registry' ? ` and says ${JSON.stringify(last)}` : ''}`;
    }
    return outcomes;
  };
}

const startServer = ({ binary, nats }: ProbeContext): Promise<PeerProcess> =>
  PeerProcess.start(binary, ['server', '--nats', nats]);

/** Which payloads on the registry's subjects end a Go process. */
export const crashProbes: readonly Probe[] = [
  {
    id: 'crash-query',
    title: 'payloads on the query subject, to a server',
    run: survives(
      (generation) => generation.querySubject,
      ['null', '{"Action":"get"}', '{"Action":"get","Service":null}', '{}', '[]', 'nope', ''],
      startServer,
    ),
  },
  {
    id: 'crash-watch-filtered',
    title: 'payloads on the watch subject, to a watcher of one service',
    run: survives(
      (generation) => generation.watchSubject,
      ['null', '{"Action":"create","Service":null}', '{}', '[]', 'nope', ''],
      ({ binary, nats }) => PeerProcess.start(binary, ['registry', '--nats', nats, 'watch', 'probe']),
    ),
  },
  {
    id: 'crash-watch-all',
    title: 'payloads on the watch subject, to a watcher of everything',
    run: survives(
      (generation) => generation.watchSubject,
      ['null', '{"Action":"create","Service":null}', '{}', '[]', 'nope', ''],
      ({ binary, nats }) => PeerProcess.start(binary, ['registry', '--nats', nats, 'watch']),
    ),
  },
  {
    id: 'crash-watch-cache',
    title: "payloads on the watch subject, to a client's registry cache",
    run: survives(
      (generation) => generation.watchSubject,
      ['null', '{"Action":"create","Service":null}', '{}', '[]', 'nope', ''],
      async ({ binary, nats }) => {
        const client = await PeerProcess.start(binary, ['client', '--nats', nats]);
        await client.command({ ...helloCall, timeoutMs: 500, retries: 0 });
        await sleep(300);
        return client;
      },
    ),
  },
  {
    id: 'crash-query-reply',
    title: 'answers to a Go client that looks up a service',
    run: async ({ binary, nats, bare, generation }) => {
      const outcomes: Record<string, unknown> = {};
      for (const payload of [
        'null',
        '{}',
        '[]',
        'nope',
        '',
        '{"name":"probe","version":"1","nodes":[null]}',
        '{"name":"probe","version":"1","nodes":[{"id":"x","address":"y","metadata":{"n":7}}]}',
      ]) {
        await using client = await PeerProcess.start(binary, ['client', '--nats', nats]);
        const stop = bare.subscribe(generation.querySubject, ({ reply }) => bare.publish(reply ?? '', payload));
        await bare.flush();
        const outcome = await client.command({ op: 'get', service: 'probe' }, 5_000).catch(() => undefined);
        stop();
        outcomes[payload] = outcome === undefined ? `dies: ${/panic: .*/.exec(client.log)?.[0]}` : outcome.services;
      }
      return outcomes;
    },
  },
];
