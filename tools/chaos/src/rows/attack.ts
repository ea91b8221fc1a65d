import { connectNats, encodeEnvelope, type NatsConnection } from '@ts-micro/nats';
import { Findings } from '../harness/findings.ts';
import { held } from '../harness/memory.ts';
import { openServerStage, type ServerStage } from '../harness/stage.ts';
import type { Row } from '../row.ts';

const defaultAttackMs = 15_000;
const boundMiB = 128;
/** Of a share of what this machine can do, so that what the attacker costs the machine is not measured. */
const callsPerSecond = 200;
const leastShare = 0.9;
/** How often memory is read while an attack goes on. */
const samples = 10;

interface Attack {
  readonly id: string;
  readonly fault: string;
  /** A share of what is taken; more than that is an overload, which only the server's limits end. */
  readonly perSecond: number;
  /** Each of the service's bounds in bytes, as by default they add up to some gibibytes. */
  readonly boundedMiB?: number;
  /** Publishes one message; `number` counts them. */
  shoot(attacker: NatsConnection, number: number, address: string): void;
}

const frame = (hex: string, ...rest: readonly Uint8Array[]) => Buffer.concat([Buffer.from(hex, 'hex'), ...rest]);
const record = (name: string, id: string) =>
  Buffer.from(
    JSON.stringify({
      Service: { name, version: '1', metadata: null, endpoints: [], nodes: [{ id, address: `svc.${id}` }] },
      Action: 'create',
    }),
  );
const chunk = new Uint8Array(1000);
const headersOf = (endpoint: string, more = {}) => ({
  'Content-Type': 'application/json',
  'Micro-Endpoint': endpoint,
  'Micro-Id': '1',
  ...more,
});
const request = encodeEnvelope({ headers: headersOf('Chaos.Quick'), body: Buffer.from('{}') });

const large = Buffer.from(JSON.stringify('x'.repeat(512 * 1024)));
const half = Buffer.from(JSON.stringify('x'.repeat(256 * 1024)));
const text = (of: string) => Buffer.concat([Uint8Array.of(of.length), Buffer.from(of)]);
const streamHeaders = headersOf('Chaos.Deaf', { 'Micro-Stream': '1' });
const block = Buffer.concat(
  Object.entries(streamHeaders).flatMap(([name, value]) => [Uint8Array.of(0), text(name), text(value)]),
);
const streamFrame = (sequence: number) =>
  Buffer.concat([Uint8Array.of(0xf5, 1, sequence, block.length), block, sequence === 0 ? Buffer.from('{}') : large]);
const framesOfStream = Array.from({ length: 10 }, (_, sequence) => streamFrame(sequence));
const envelopesOfStream = framesOfStream.map((_, sequence) =>
  encodeEnvelope({ headers: streamHeaders, body: sequence === 0 ? Buffer.from('{}') : half }),
);
const stuck = encodeEnvelope({ headers: headersOf('Chaos.Stuck'), body: half });
const slowEvent = encodeEnvelope({ headers: { 'Content-Type': 'application/json' }, body: half });

const attacks: readonly Attack[] = [
  {
    id: 'sockets',
    perSecond: 1500,
    fault: 'first frames of large messages that never go on, each on a socket of its own',
    // Sequence 0, 64 MiB announced, offset 0.
    shoot: (attacker, number, address) =>
      attacker.publish(address, frame('f503008080802000', chunk), { reply: `_INBOX.attacker.${number}` }),
  },
  {
    id: 'calls',
    perSecond: 1500,
    fault: 'requests with reply subjects that nobody has',
    shoot: (attacker, number, address) => attacker.publish(address, request, { reply: `_INBOX.attacker.${number}` }),
  },
  {
    id: 'registry',
    perSecond: 200,
    fault: 'announcements of forged services and nodes, and forged questions',
    shoot(attacker, number) {
      const name = number % 2 === 0 ? 'forged' : `forged-${number}`;
      attacker.publish('micro.nats.watch', record(name, `n${number}`), { headers: { 'Ts-Micro-Lease': '1e300' } });
      if (number % 10 === 0)
        attacker.publish('micro.nats.query', Buffer.from('{"Action":"list"}'), { reply: `_INBOX.attacker.${number}` });
    },
  },
  {
    id: 'unread',
    perSecond: 40,
    boundedMiB: 16,
    fault:
      'streams of 4.5 MiB, in frames beyond their window and in envelopes, that are not received, requests of 256 KiB ' +
      'that are not answered, and events of 256 KiB that take a second each, each of the bounds in bytes being 16 MiB',
    shoot(attacker, number, address) {
      const turn = Math.floor(number / 4);
      const sequence = turn % framesOfStream.length;
      const reply = (kind: string, socket: number) => ({ reply: `_INBOX.attacker.${kind}${socket}` });
      const stream = Math.floor(turn / framesOfStream.length);
      if (number % 4 === 0) attacker.publish(address, framesOfStream[sequence] as Uint8Array, reply('frame', stream));
      else if (number % 4 === 1)
        attacker.publish(address, envelopesOfStream[sequence] as Uint8Array, reply('go', stream));
      else if (number % 4 === 2) attacker.publish(address, stuck, reply('stuck', turn));
      else attacker.publish('chaos.slow', slowEvent);
    },
  },
  {
    id: 'replies',
    perSecond: 10000,
    fault: 'answers, ends and credits on guessed reply subjects, with reply subjects of their own',
    shoot(attacker, number) {
      const bytes = [request, frame('f5020000'), frame('f5040000ff7fffff7f'), frame('f5010000', chunk)][number % 4];
      attacker.publish(`_INBOX.${number}.${number}`, bytes as Uint8Array, { reply: `_INBOX.attacker.${number}` });
    },
  },
];

export const attackRows: readonly Row[] = attacks.map((attack) => ({
  id: `attack-${attack.id}`,
  fault: `${attack.fault}: ${attack.perSecond} a second, for ${defaultAttackMs / 1000} s unless \`--attack-seconds\` says otherwise`,
  expected: `neither process grows by more than ${boundMiB} MiB at any time, and ${leastShare * 100} % of ${callsPerSecond} small calls a second are answered in time`,
  async run({ attackMs = defaultAttackMs, attackRate = 1 }) {
    const findings = new Findings();
    const boundBytes = attack.boundedMiB === undefined ? undefined : attack.boundedMiB * 2 ** 20;
    await using stage = await openServerStage({ nodes: 1, idleTimeoutMs: 5000, boundBytes });
    await using watcher = await stage.plugins.registry.watch();
    const watching = (async () => {
      for await (const _ of watcher);
    })();
    await using attacker = await connectNats({ servers: stage.server.address, name: 'attacker' });
    const [chaos] = await stage.plugins.registry.getService('chaos');
    const address = chaos?.nodes[0]?.address ?? '';
    const calmed = await steadyCalls(stage, 3000);
    const before = await figures(stage);
    let isOver = false;
    const shooting = shoot({ ...attack, perSecond: attack.perSecond * attackRate }, attacker, address, () => isOver);
    const during = { due: 0, answered: 0 };
    const most = { ...before };
    for (let sample = 0; sample < samples; sample++) {
      const calls = await steadyCalls(stage, attackMs / samples);
      during.due += calls.due;
      during.answered += calls.answered;
      const now = await figures(stage);
      for (const what of ['service', 'client', 'rss'] as const) most[what] = Math.max(most[what], now[what]);
    }
    isOver = true;
    const shots = await shooting;
    findings.note(`${shots} messages`);
    const share = during.answered / during.due / (calmed.answered / calmed.due);
    findings.must(
      share >= leastShare,
      `${during.answered} of ${during.due} calls answered, before it ${calmed.answered} of ${calmed.due}`,
    );
    for (const who of ['service', 'client'] as const)
      findings.must(
        most[who] - before[who] <= boundMiB,
        `${who} heap and buffers ${before[who]} -> at most ${most[who]} MiB`,
      );
    findings.note(`the process of the service ${before.rss} -> at most ${most.rss} MiB`);
    findings.must(!stage.fleet.node(0).hasExited && stage.fleet.node(0).errors === '', 'the service lives');
    await watcher.close();
    await watching;
    return findings.outcome;
  },
}));

async function shoot(
  attack: Attack,
  attacker: NatsConnection,
  address: string,
  isOver: () => boolean,
): Promise<number> {
  let number = 0;
  const beganMs = performance.now();
  while (!isOver()) {
    const due = ((performance.now() - beganMs) * attack.perSecond) / 1000;
    while (number < due) attack.shoot(attacker, number++, address);
    await attacker.flush();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return number;
}

/** Calls at a steady rate, each with a second to be answered. */
async function steadyCalls({ client }: ServerStage, lengthMs: number): Promise<{ due: number; answered: number }> {
  let due = 0;
  let answered = 0;
  const pending: Promise<void>[] = [];
  const beganMs = performance.now();
  for (let passedMs = 0; passedMs < lengthMs; passedMs = performance.now() - beganMs) {
    for (; due < (passedMs * callsPerSecond) / 1000; due++) {
      const call = client.call('chaos', 'Chaos.Quick', { a: 1 }, { timeoutMs: 1000, idempotent: true });
      pending.push(
        call.then(
          () => void answered++,
          () => {},
        ),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all(pending);
  return { due, answered };
}

/** What is held, buffers included, after a collection. */
async function figures({ fleet }: ServerStage): Promise<{ service: number; client: number; rss: number }> {
  const { memory } = await fleet.node(0).ask('facts');
  const { heapUsed, external, rss } = memory as NodeJS.MemoryUsage;
  await held();
  const own = process.memoryUsage();
  const mib = (bytes: number) => Math.round(bytes / 2 ** 20);
  return { service: mib(heapUsed + external), client: mib(own.heapUsed + own.external), rss: mib(rss) };
}
