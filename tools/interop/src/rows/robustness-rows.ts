import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type BareMessage, freshInbox } from '../bare-nats.ts';
import type { Row } from '../matrix/row.ts';
import { eventually, sleep } from '../matrix/wait.ts';
import { mutatedEnvelope, seeded } from './mutate.ts';

const direction = 'robustness';

/** What a Go peer could not decode. */
function flawOf({ payload, headers }: BareMessage): string | undefined {
  if (payload.length === 0) return headers === undefined ? 'an empty payload' : undefined;
  const envelope = JSON.parse(payload.toString()) as { Header?: unknown; Body?: unknown };
  if (typeof envelope.Header !== 'object' || envelope.Header === null || Array.isArray(envelope.Header))
    return 'no Header object';
  if (Object.values(envelope.Header).some((value) => typeof value !== 'string')) return 'a header that is no string';
  if (envelope.Body === null) return undefined;
  if (typeof envelope.Body !== 'string') return 'a Body that is neither null nor a string';
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(envelope.Body)
    ? undefined
    : 'a Body that is no base64';
}

/** What would crash a Go process that gets this on one of the registry's subjects, or leave stale keys in it. */
function registryFlawOf(subject: string, payload: string): string | undefined {
  const result = JSON.parse(payload) as { Action?: unknown; Service?: Record<string, unknown> | null } | null;
  if (result === null || typeof result.Action !== 'string') return 'no Action';
  if (subject.endsWith('.query') && result.Action === 'list') return undefined;
  const service = result.Service;
  if (service === null || service === undefined) return 'no Service';
  for (const key of ['name', 'version', 'metadata', 'endpoints', 'nodes'])
    if (!(key in service)) return `a service without ${key}`;
  for (const node of (service.nodes as Record<string, unknown>[] | null) ?? []) {
    if (node === null) return 'a null node';
    for (const key of ['id', 'address', 'metadata']) if (!(key in node)) return `a node without ${key}`;
    const metadata = Object.values((node.metadata as object | null) ?? {});
    if (metadata.some((value) => typeof value !== 'string')) return 'node metadata that is no string';
  }
  return undefined;
}

/** What neither side may do to the other. */
export const robustnessRows: readonly Row[] = [
  {
    id: 'mutated',
    title: '10,000 mutated envelopes leave a TypeScript server serving, and its answers are what Go can decode',
    direction,
    run: async (stage) => {
      const { service } = await stage.tsServer();
      const address = service.node?.address ?? '';
      const random = seeded(7);
      const flaws = new Set<string>();
      const inboxes = Array.from({ length: 100 }, freshInbox);
      const stops = inboxes.map((inbox) =>
        stage.bare.subscribe(inbox, (message) => {
          const flaw = flawOf(message);
          if (flaw !== undefined) flaws.add(`${flaw}: ${message.payload.toString().slice(0, 300)}`);
        }),
      );
      for (let n = 0; n < 10_000; n++) {
        const inbox = random() < 0.02 ? '' : inboxes[n % inboxes.length];
        stage.bare.publish(address, mutatedEnvelope(random), inbox);
        if (n % 200 === 0) await stage.bare.flush();
      }
      await stage.bare.flush();
      await sleep(500);
      for (const stop of stops) stop();
      assert.deepEqual([...flaws], []);
      const goClient = await stage.goClient();
      const { ok, error } = await goClient.command({
        op: 'call',
        service: stage.tsService,
        endpoint: 'Greeter.Echo',
        body: 'alive',
      });
      assert.ok(ok, JSON.stringify(error));
      const { client } = await stage.tsClient();
      assert.equal(await client.call(stage.tsService, 'Greeter.Echo', 'alive'), 'alive');
    },
  },
  {
    id: 'mutated-answers',
    title: 'what a TypeScript server answers to mutated envelopes does a Go client no harm',
    direction,
    run: async (stage) => {
      const { service } = await stage.tsServer();
      const goClient = await stage.goClient();
      const random = seeded(11);
      const between = freshInbox();
      // Its own request gives way to a mutated one, so that our answer to that one reaches it.
      const stop = stage.bare.subscribe(between, ({ reply }) =>
        stage.bare.publish(service.node?.address ?? '', mutatedEnvelope(random), reply),
      );
      await stage.bare.flush();
      const ask = { op: 'callMany', service: stage.tsService, endpoint: 'Greeter.Echo', body: 'asked', retries: 0 };
      const bound = { count: 400, concurrency: 40, timeoutMs: 400 };
      const { answers, failures } = await goClient.command({ ...ask, ...bound, address: between }, 60_000);
      stop();
      const unanswered = Object.entries(failures as Record<string, number>)
        .filter(([text]) => /"code":408|deadline|timeout/i.test(text))
        .reduce((sum, [, times]) => sum + times, 0);
      const kinds = Object.keys({ ...(answers as object), ...(failures as object) }).length;
      assert.ok(unanswered < 300 && kinds >= 10, `${unanswered} unanswered, ${kinds} kinds of answers`);
      const after = await goClient.command({ ...ask, op: 'call', body: 'alive' });
      assert.equal(after.body, 'alive', JSON.stringify(after.error));
    },
  },
  {
    id: 'sent-to-go',
    title:
      'nothing in calls, errors, streams and events between Go and TypeScript has NATS headers, or is not an envelope',
    direction,
    run: async (stage) => {
      const go = await stage.goServer();
      const ts = await stage.tsServer();
      const { client } = await stage.tsClient();
      const goClient = await stage.goClient();
      const flaws = new Set<string>();
      const lookups = new Set<string | undefined>();
      const requests = new Map<string, number>();
      const stop = stage.bare.subscribe('>', (message) => {
        const { subject, reply, headers, payload } = message;
        requests.set(subject, (requests.get(subject) ?? 0) + 1);
        // The registry's own traffic, which has a row of its own; its questions tell our peers more in a NATS header.
        if (subject.startsWith('micro.')) {
          lookups.add(reply);
          return;
        }
        const isEnvelope = !lookups.has(subject);
        const flaw = headers === undefined ? isEnvelope && flawOf(message) : 'NATS headers';
        if (flaw) flaws.add(`${subject}: ${flaw}: ${headers ?? ''}${payload.toString().slice(0, 300)}`);
      });
      await stage.bare.flush();
      const metadata = { foo: 'bar' };
      await client.call(stage.goService, 'Greeter.Hello', { name: 'John' }, { metadata });
      await assert.rejects(client.call(stage.goService, 'Greeter.Fail', { code: 404, detail: 'gone' }));
      await assert.rejects(client.call(stage.goService, 'Greeter.Nope', {}));
      await assert.rejects(client.call(stage.goService, 'Greeter.Sleep', { ms: 300 }, { timeoutMs: 100 }));
      for (const end of ['end', 'close', 'cancel'] as const) {
        const stream = await client.stream(stage.goService, 'Greeter.Chat', { metadata });
        await stream.send({ text: 'one' });
        if (end !== 'cancel') await stream.receive();
        if (end === 'end') await stream.end();
        await stream.close();
      }
      await client.publish('greeter.say', { text: 'decodable' }, { metadata });
      const ask = { service: stage.tsService, timeoutMs: 2_000, retries: 0 };
      for (const endpoint of ['Hello', 'Echo', 'Crash', 'TimeOut', 'Nope'])
        await goClient.command({ ...ask, op: 'call', endpoint: `Greeter.${endpoint}`, body: { name: 'John' } });
      const steps = [{ send: { to: 3, text: 'one' } }, { receive: 1 }, { close: true }];
      for (const endpoint of ['Count', 'Chat', 'FailAfter', 'Nope'])
        await goClient.command({ ...ask, op: 'stream', endpoint: `Greeter.${endpoint}`, steps });
      await stage.bare.flush();
      stop();
      assert.deepEqual([...flaws], []);
      for (const address of [String(go.ready.address), ts.service.node?.address ?? ''])
        assert.ok((requests.get(address) ?? 0) >= 9, `${requests.get(address)} requests at ${address}`);
    },
  },
  {
    id: 'registry-traffic',
    title: 'nothing that we say on the registry subjects can crash a Go process',
    direction,
    run: async (stage) => {
      const flaws = new Set<string>();
      const seen = new Set<string>();
      const name = `mixed.${randomUUID().slice(0, 8)}`;
      const stop = stage.bare.subscribe('micro.>', ({ subject, payload }) => {
        const text = payload.toString();
        seen.add(subject);
        const flaw = text === '' ? 'an empty payload' : registryFlawOf(subject, text);
        if (flaw !== undefined) flaws.add(`${subject}: ${flaw}: ${text.slice(0, 300)}`);
      });
      await stage.bare.flush();
      {
        await using peer = await stage.serveTs({ name, registerIntervalMs: 200 });
        await peer.registry.getService(name);
        await peer.registry.getService('nobody.here');
        await peer.registry.listServices();
        await using _watcher = await peer.registry.watch({ service: name });
        await sleep(500);
      }
      await eventually(
        'traffic of both families',
        () => seen.has('micro.nats.watch') && seen.has('micro.registry.nats.watch'),
      );
      stop();
      assert.deepEqual([...flaws], []);
    },
  },
  {
    id: 'clean-logs',
    title: 'no Go process has ended by itself or logged a decode error in all of this',
    direction,
    run: async (stage) => {
      await sleep(200);
      const problems: string[] = [];
      for (const peer of stage.goPeers) {
        if (peer.hasExited && !peer.wasStopped) problems.push(`ended: ${peer.log.slice(-500)}`);
        for (const line of peer.log.split('\n')) {
          if (
            /unmarshal|invalid character|unexpected end of JSON|nil pointer|runtime error|illegal base64|decod/i.test(
              line,
            )
          )
            problems.push(line);
        }
      }
      assert.deepEqual(problems, []);
    },
  },
];
