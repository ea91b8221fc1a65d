import { type EventTopic, manySubscribers, queueMembers } from '../../contenders/contender.ts';
import { type ContenderName, contenders } from '../../contenders/contenders.ts';
import type { Arena } from '../../harness/arena.ts';
import type { Delivery } from '../../harness/event-count.ts';
import { runRounds } from '../../harness/rounds.ts';
import { judge, type Limit, type Outcome } from '../../harness/target.ts';
import { chosen, leftOut } from '../chosen.ts';
import type { Workload } from '../workload.ts';
import { messagesPerSecond, receiverCpu, type Throughput, throughputTable } from './throughput.ts';

const withinMs = 20_000;

interface PublishTarget extends Limit {
  readonly row: string;
  readonly of: ContenderName;
  readonly figure?: (measurement: Throughput) => number;
}

interface PublishPlan {
  readonly name: string;
  readonly title: string;
  readonly topic: EventTopic;
  /** How often each event is to arrive. */
  readonly copies: number;
  readonly contenders: readonly ContenderName[];
  readonly targets: readonly PublishTarget[];
}

const ours: readonly ContenderName[] = ['raw', 'raw-again', 'multiplexer-envelope', 'ts-micro', 'ts-micro-envelope'];

/** From the first publish to the last message handled, every message counted. */
export const publish: readonly Workload[] = [
  publishWorkload({
    name: 'publish',
    title: 'Publishing 128 B JSON to one subscriber, end to end',
    topic: 'events',
    copies: 1,
    contenders: [...ours, 'moleculer', 'nest'],
    targets: [
      { row: 'publish end to end, native, nothing lost', of: 'ts-micro', atLeast: 1 },
      { row: 'publish end to end, envelope, nothing lost', of: 'ts-micro-envelope', atLeast: 0.7 },
      { row: 'publish, native: CPU of the receiver', of: 'ts-micro', figure: receiverCpu, atMost: 1.3 },
    ],
  }),
  publishWorkload({
    name: 'publish-many',
    title: `Publishing 128 B JSON to ${manySubscribers} subscribers in one process`,
    topic: 'many',
    copies: manySubscribers,
    contenders: ours,
    targets: [{ row: `publish to ${manySubscribers} subscribers, native`, of: 'ts-micro', atLeast: 0.9 }],
  }),
  publishWorkload({
    name: 'publish-queue',
    title: `Publishing 128 B JSON to a queue of ${queueMembers}`,
    topic: 'shared',
    copies: 1,
    contenders: ours,
    targets: [{ row: `publish to a queue of ${queueMembers}, native`, of: 'ts-micro', atLeast: 0.9 }],
  }),
];

function publishWorkload({ name, title, topic, copies, contenders: names, targets }: PublishPlan): Workload {
  return {
    name,
    title,
    async run(bench) {
      const { settings } = bench;
      const arena = await bench.arena();
      const count = Math.ceil((settings.messages / copies) * (copies > 1 ? 2 : 1));
      const measure = (contender: ContenderName) => measurePublish(arena, contender, topic, count, copies);
      const rounds = await runRounds({
        names: chosen(names, settings),
        rounds: settings.rounds,
        prepare: measure,
        measure,
        onRound: (round) => bench.progress(`${name}: round ${round} of ${settings.rounds}`),
      });
      const outcome = ({ row, of, figure = messagesPerSecond, ...limit }: PublishTarget): Outcome =>
        judge(
          row,
          rounds.ratio(of, 'raw', figure),
          { ...limit, unit: `x ${contenders.raw.title}` },
          rounds.failures.get(of),
        );
      return {
        tables: [throughputTable(rounds, 'raw')],
        notes: leftOut(rounds.failures),
        outcomes: targets.map(outcome),
      };
    },
  };
}

async function measurePublish(
  arena: Arena,
  name: ContenderName,
  topic: EventTopic,
  count: number,
  copies: number,
): Promise<Throughput> {
  const { server, client } = await arena.pair(name);
  const cpuBefore = await server.request<number>('cpu');
  const delivered = server.request<Delivery>('events', { topic, count, copies, withinMs });
  const sent = await client.request<{ beganAtMs: number; cpuMs: number }>('publish', { count, topic });
  const { received, lastAtMs } = await delivered;
  const total = count * copies;
  if (received !== total) throw new Error(`${total - received} of ${total} messages did not arrive`);
  const receiverCpuMs = (await server.request<number>('cpu')) - cpuBefore;
  return {
    messagesPerSecond: (total / (lastAtMs - sent.beganAtMs)) * 1000,
    senderCpuUs: (sent.cpuMs * 1000) / count,
    receiverCpuUs: (receiverCpuMs * 1000) / total,
  };
}
