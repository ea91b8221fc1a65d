import { startNatsServer } from '@ts-micro/testkit/nats';
import type { BareMessage } from '../bare-nats.ts';
import { BareService, bareEnvelope, bareSuccess } from '../bare-service.ts';
import { PeerProcess } from '../peer-process.ts';
import { helloCall, outcomeOf, type Probe, sleep, subscribed } from './probe.ts';

/** How Go peers behave in time: pools, caches, races, limits. */
export const behaviourProbes: readonly Probe[] = [
  {
    id: 'nobody-listens',
    title: 'a node whose address nobody listens on, by default options',
    run: async ({ binary, nats, generation }) => {
      await using client = await PeerProcess.start(binary, ['client', '--nats', nats]);
      const record = {
        name: 'probe',
        version: '1',
        nodes: [
          {
            id: 'probe-1',
            address: 'nobody.here',
            metadata: { protocol: 'mucp', transport: 'nats', server: generation.name },
          },
        ],
      };
      await client.command({ op: 'register', record });
      return outcomeOf(await client.command(helloCall));
    },
  },
  {
    id: 'pool',
    title: '40 calls at once, then 40 more: how many inboxes a Go client uses',
    run: async ({ binary, nats, bare }) => {
      await using client = await PeerProcess.start(binary, ['client', '--nats', nats]);
      using service = new BareService(
        bare,
        'probe',
        (request) => void setTimeout(() => request.reply(bareSuccess(request, request.body)), 50),
      );
      const many = { ...helloCall, op: 'callMany', count: 40, concurrency: 40 };
      await client.command(many);
      const first = new Set(service.requests.map(({ inbox }) => inbox));
      await client.command(many);
      return { first: first.size, both: new Set(service.requests.map(({ inbox }) => inbox)).size };
    },
  },
  {
    id: 'not-found-window',
    title: 'after a lookup that found nothing, a service that appears: with an announcement, and without',
    run: async ({ binary, nats, bare }) => {
      await using client = await PeerProcess.start(binary, ['client', '--nats', nats]);
      const quick = { ...helloCall, timeoutMs: 2_000, retries: 0 };
      const before = outcomeOf(await client.command(quick));
      await sleep(300);
      using service = new BareService(bare, 'probe', (request) =>
        request.reply(bareSuccess(request, '{"msg":"found"}')),
      );
      await sleep(100);
      const after = outcomeOf(await client.command(quick));
      service.announce('delete');
      await sleep(100);
      const deleted = outcomeOf(await client.command(quick));
      await sleep(5_500);
      const fiveSecondsLater = outcomeOf(await client.command(quick));
      return { before, afterAnnouncement: after, afterDeleteWhileStillAnswering: deleted, fiveSecondsLater };
    },
  },
  {
    id: 'subscriber-without-headers',
    title: 'what a service subscriber makes of events without Micro-Topic, without Content-Type, and of other shapes',
    run: async (context) => {
      const { binary, nats, bare } = context;
      await using server = await PeerProcess.start(binary, ['server', '--nats', nats]);
      const text = (word: string): string => Buffer.from(JSON.stringify({ text: word })).toString('base64');
      const payloads = {
        'Content-Type only': `{"Header":{"Content-Type":"application/json"},"Body":"${text('a')}"}`,
        'Micro-Topic only': `{"Header":{"Micro-Topic":"greeter.say"},"Body":"${text('b')}"}`,
        'another Micro-Topic': `{"Header":{"Content-Type":"application/json","Micro-Topic":"other"},"Body":"${text('c')}"}`,
        'Header null': `{"Header":null,"Body":"${text('d')}"}`,
        'plain JSON': '{"text":"e"}',
        'Header null after that': `{"Header":{"Content-Type":"application/json","Micro-Topic":"greeter.say"},"Body":"${text('f')}"}`,
      };
      const outcomes: Record<string, unknown> = {};
      await subscribed(context, 'greeter.say');
      for (const [name, payload] of Object.entries(payloads)) {
        const from = server.lines.length;
        bare.publish('greeter.say', payload);
        await bare.flush();
        await sleep(200);
        outcomes[name] = server.hasExited ? 'dies' : server.lines.slice(from).map(({ text: said }) => said);
      }
      return outcomes;
    },
  },
  {
    id: 'heartbeat-repeats-events',
    title: 'one event after several heartbeats: how often the one subscriber handles it',
    run: async ({ binary, nats, bare }) => {
      await using server = await PeerProcess.start(binary, ['server', '--nats', nats, '--interval', '200']);
      await sleep(1_200);
      const from = server.lines.length;
      bare.publish(
        'greeter.say',
        bareEnvelope({ 'Content-Type': 'application/json', 'Micro-Topic': 'greeter.say' }, '{"text":"once"}'),
      );
      await sleep(300);
      return { handled: server.lines.slice(from).length };
    },
  },
  {
    id: 'oversize-answer',
    title: 'an answer larger than max_payload',
    run: async ({ binary }) => {
      await using small = await startNatsServer({ config: 'max_payload: 65536' });
      await using server = await PeerProcess.start(binary, ['server', '--nats', small.address]);
      await using client = await PeerProcess.start(binary, ['client', '--nats', small.address]);
      const call = { op: 'call', service: 'greeter', timeoutMs: 1_500, retries: 0 };
      const name = 'x'.repeat(60_000);
      const request = outcomeOf(await client.command({ ...call, endpoint: 'Greeter.Hello', body: { name } }));
      // An error's text is in its answer twice, so the answer is larger than the request.
      const detail = 'x'.repeat(34_000);
      const answer = outcomeOf(
        await client.command({ ...call, endpoint: 'Greeter.Fail', body: { code: 400, detail } }),
      );
      return { request, answer, exited: server.hasExited };
    },
  },
  {
    id: 'idle-server-socket',
    title: 'a handler that runs for 63 s',
    run: async ({ binary, nats, bare, generation }) => {
      await using server = await PeerProcess.start(binary, ['server', '--nats', nats]);
      await sleep(300);
      const header = {
        'Content-Type': 'application/json',
        'Micro-Endpoint': 'Greeter.Sleep',
        'Micro-Method': 'Greeter.Sleep',
        'Micro-Service': 'greeter',
        [generation.idHeader]: '1',
      };
      const started = Date.now();
      const answer = await bare.request(String(server.ready.address), bareEnvelope(header, '{"ms":63000}'), 66_000);
      return {
        answer: answer?.payload.toString() ?? 'none',
        aboutS: Math.round((Date.now() - started) / 1000),
        log: server.log
          .split('\n')
          .filter((line) => /deadline|serving/.test(line))
          .map((line) => line.replace(/_INBOX\.\w+/, '<inbox>').slice(-160)),
      };
    },
  },
  {
    id: 'farewell',
    title: 'twenty servers started and stopped by SIGTERM: how many get their `delete` onto the wire before they exit',
    run: async ({ binary, nats, bare, generation }) => {
      let farewells = 0;
      bare.subscribe(generation.watchSubject, ({ payload }) => {
        if (JSON.parse(payload.toString()).Action === 'delete') farewells += 1;
      });
      for (let n = 0; n < 20; n++) {
        const server = await PeerProcess.start(binary, ['server', '--nats', nats]);
        await server.stop();
      }
      await bare.flush();
      return { farewells, of: 20 };
    },
  },
  {
    id: 'announced-before-listening',
    title: 'a request sent the moment a server announces itself, five times: what comes back',
    run: async ({ binary, nats, bare, generation }) => {
      const outcomes: string[] = [];
      for (let n = 0; n < 5; n++) {
        const header = {
          'Content-Type': 'application/json',
          'Micro-Endpoint': 'Greeter.WhoAmI',
          'Micro-Method': 'Greeter.WhoAmI',
          'Micro-Service': 'greeter',
        };
        const answered = new Promise<BareMessage | undefined>((resolve) => {
          const stop = bare.subscribe(generation.watchSubject, ({ payload }) => {
            stop();
            const { address } = JSON.parse(payload.toString()).Service.nodes[0];
            resolve(bare.request(address, bareEnvelope(header, '{}'), 1_000));
          });
        });
        await bare.flush();
        await using _server = await PeerProcess.start(binary, ['server', '--nats', nats]);
        const answer = await answered;
        outcomes.push(answer === undefined ? 'silence' : (answer.headers?.split('\r\n')[0] ?? 'answer'));
      }
      return outcomes;
    },
  },
];
