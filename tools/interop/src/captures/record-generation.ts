import { execFileSync } from 'node:child_process';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { type BareMessage, BareNats } from '../bare-nats.ts';
import type { Generation } from '../generation.ts';
import { PeerProcess } from '../peer-process.ts';
import { bareScenarios } from './bare-scenarios.ts';
import type { Capture, CapturedMessage, CaptureFile } from './capture.ts';
import { goScenarios } from './go-scenarios.ts';
import { Normaliser } from './normalise.ts';
import { runProbes } from './probes.ts';
import type { ScenarioContext } from './scenario.ts';
import { WireTap } from './wire-tap.ts';

/** Runs every scenario between a Go server and a Go client of one generation and returns what went over the wire. */
export async function recordGeneration(generation: Generation, binary: string): Promise<CaptureFile> {
  await using nats = await startNatsServer();
  await using bare = await BareNats.connect(nats.address);
  const tap = await WireTap.start(bare);
  const normaliser = new Normaliser();
  const captures: Capture[] = [];

  async function record<T>(id: string, title: string, between: Capture['between'], run: () => Promise<T>): Promise<T> {
    const from = tap.messages.length;
    const outcome = await run();
    await tap.quiet();
    const messages = tap.messages.slice(from).map((message) => captured(message, normaliser));
    const kept = outcome instanceof PeerProcess || outcome === undefined ? {} : { outcome };
    captures.push({ id, title, between, ...kept, messages });
    return outcome;
  }

  const common = ['--nats', nats.address];
  await using client = await PeerProcess.start(binary, ['client', ...common]);
  await using server = await record('server-start', 'a server starts', 'go->go', () =>
    PeerProcess.start(binary, ['server', ...common, '--metadata', 'region=north']),
  );
  const context: ScenarioContext = { generation, bare, client, server, address: String(server.ready.address) };
  for (const scenario of [...goScenarios, ...bareScenarios]) {
    await record(scenario.id, scenario.title, scenario.between, () => scenario.run(context));
  }
  await using empty = await record(
    'server-start-empty',
    'a server without handlers starts, and is asked for',
    'go->go',
    async () => {
      const peer = await PeerProcess.start(binary, ['server', ...common, '--name', 'nothing', '--empty']);
      await client.command({ op: 'get', service: 'nothing' });
      return peer;
    },
  );
  await empty.stop();
  await record('server-stop', 'a server stops', 'go->go', () => server.stop());
  await record(
    'heartbeats',
    'a server with a heartbeat of 400 ms for a second, until it is stopped',
    'go->go',
    async () => {
      await using beating = await PeerProcess.start(binary, [
        'server',
        ...common,
        '--name',
        'beating',
        '--interval',
        '400',
      ]);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await beating.stop();
    },
  );

  const built = versionsOf(binary);
  const { version } = await nats.monitor('varz');
  return {
    generation: generation.name,
    provenance: { ...built, natsServer: String(version), command: 'node tools/interop/dist/record.js' },
    captures,
    probes: await runProbes(generation, binary),
  };
}

function versionsOf(binary: string): { go: string; modules: Record<string, string> } {
  const { go, modules } = JSON.parse(
    execFileSync(binary, ['versions'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  return { go, modules };
}

function captured(message: BareMessage, normaliser: Normaliser): CapturedMessage {
  const raw = {
    subject: message.subject,
    ...(message.reply === undefined ? {} : { reply: message.reply }),
    payload: message.payload.toString('utf8'),
  };
  const changed = Object.entries(raw)
    .map(([name, text]) => [name, normaliser.text(text), text] as const)
    .filter(([, normalised, text]) => normalised !== text)
    .map(([name, normalised]) => [name, normalised]);
  const body = bodyOf(raw.payload);
  return {
    ...raw,
    ...(message.headers === undefined ? {} : { natsHeaders: message.headers }),
    ...(body === undefined ? {} : { body }),
    ...(changed.length === 0 ? {} : { normalised: Object.fromEntries(changed) }),
  };
}

function bodyOf(payload: string): string | undefined {
  try {
    const envelope = JSON.parse(payload) as { Body?: unknown } | null;
    return typeof envelope?.Body === 'string' ? Buffer.from(envelope.Body, 'base64').toString('utf8') : undefined;
  } catch {
    return undefined;
  }
}
