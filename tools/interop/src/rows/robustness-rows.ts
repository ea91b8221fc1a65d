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
