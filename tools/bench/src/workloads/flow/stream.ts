import type { ContenderName } from '../../contenders/contenders.ts';
import type { Arena } from '../../harness/arena.ts';
import { runRounds } from '../../harness/rounds.ts';
import { judge } from '../../harness/target.ts';
import { chosen, leftOut } from '../chosen.ts';
import type { Workload } from '../workload.ts';
import { messagesPerSecond, type Throughput, throughputTable } from './throughput.ts';

/** From opening a stream to its last message. Raw is the same messages published to a reply inbox. */
export const stream: Workload = {
  name: 'stream',
  title: 'One server stream of 128 B JSON messages',
  async run(bench) {
    const { settings } = bench;
    const arena = await bench.arena();
    const names: readonly ContenderName[] = ['raw', 'raw-again', 'ts-micro', 'ts-micro-envelope'];
    const rounds = await runRounds({
      names: chosen(names, settings),
      rounds: settings.rounds,
      prepare: (name) => measureStream(arena, name, settings.messages),
      measure: (name) => measureStream(arena, name, settings.messages),
      onRound: (round) => bench.progress(`stream: round ${round} of ${settings.rounds}`),
    });
    return {
      tables: [throughputTable(rounds, 'raw')],
      notes: leftOut(rounds.failures),
      outcomes: [
        judge(
          'one server stream of 128 B messages',
          rounds.ratio('ts-micro', 'raw', messagesPerSecond),
          { atLeast: 0.9, unit: 'x raw publish' },
          rounds.failures.get('ts-micro'),
        ),
      ],
    };
  },
};

async function measureStream(arena: Arena, name: ContenderName, count: number): Promise<Throughput> {
  const { server, client } = await arena.pair(name);
  const cpuBefore = await server.request<number>('cpu');
  const { elapsedMs, cpuMs } = await client.request<{ elapsedMs: number; cpuMs: number }>('stream', { count });
  const senderCpuMs = (await server.request<number>('cpu')) - cpuBefore;
  return {
    messagesPerSecond: (count / elapsedMs) * 1000,
    senderCpuUs: (senderCpuMs * 1000) / count,
    receiverCpuUs: (cpuMs * 1000) / count,
  };
}
