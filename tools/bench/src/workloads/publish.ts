import type { ContenderName } from '../contenders/contenders.ts';
import type { Arena } from '../harness/arena.ts';
import type { Delivery } from '../harness/event-count.ts';
import { runRounds } from '../harness/rounds.ts';
import { judge, type Outcome } from '../harness/target.ts';
import { chosen, leftOut } from './chosen.ts';
import { messagesPerSecond, type Throughput, throughputTable } from './throughput.ts';
import type { Workload } from './workload.ts';

const withinMs = 20_000;

/** From the first publish to the last message handled, every message counted and in order. */
export const publish: Workload = {
  name: 'publish',
  title: 'Publishing 128 B JSON to one subscriber, end to end',
  async run(bench) {
    const { settings } = bench;
    const arena = await bench.arena();
    const names: readonly ContenderName[] = ['raw', 'raw-again', 'ts-micro', 'ts-micro-envelope', 'moleculer', 'nest'];
    const rounds = await runRounds({
      names: chosen(names, settings),
      rounds: settings.rounds,
      prepare: (name) => measurePublish(arena, name, settings.messages),
      measure: (name) => measurePublish(arena, name, settings.messages),
      onRound: (round) => bench.progress(`publish: round ${round} of ${settings.rounds}`),
    });
    const outcome = (dialect: string, of: ContenderName, atLeast: number): Outcome =>
      judge(
        `publish end to end, ${dialect}, nothing lost`,
        rounds.ratio(of, 'raw', messagesPerSecond),
        { atLeast, unit: 'x raw' },
        rounds.failures.get(of),
      );
    return {
      tables: [throughputTable(rounds, 'raw')],
      notes: leftOut(rounds.failures),
      outcomes: [outcome('native', 'ts-micro', 0.85), outcome('envelope', 'ts-micro-envelope', 0.6)],
    };
  },
};

async function measurePublish(arena: Arena, name: ContenderName, count: number): Promise<Throughput> {
  const { server, client } = await arena.pair(name);
  const cpuBefore = await server.request<number>('cpu');
  const delivered = server.request<Delivery>('events', { count, withinMs });
  const sent = await client.request<{ beganAtMs: number; cpuMs: number }>('publish', { count });
  const { received, lastAtMs } = await delivered;
  if (received !== count) throw new Error(`${count - received} of ${count} messages did not arrive`);
  const receiverCpuMs = (await server.request<number>('cpu')) - cpuBefore;
  return {
    messagesPerSecond: (count / (lastAtMs - sent.beganAtMs)) * 1000,
    senderCpuUs: (sent.cpuMs * 1000) / count,
    receiverCpuUs: (receiverCpuMs * 1000) / count,
  };
}
