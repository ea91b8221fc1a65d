import { type ContenderName, contenders } from '../../contenders/contenders.ts';
import { summaryText } from '../../harness/report/table.ts';
import { runRounds } from '../../harness/rounds.ts';
import { judge } from '../../harness/target.ts';
import { chosen, leftOut } from '../chosen.ts';
import { call } from '../unary/unary.ts';
import type { Workload } from '../workload.ts';

interface Measured {
  readonly streamMs: number;
  readonly unaryMs: number;
  /** The stream's as a multiple of the call's. */
  readonly ratio: number;
}

/** A message each way on one stream, again and again, beside as many calls one at a time. */
export const pingPong: Workload = {
  name: 'ping-pong',
  title: 'A message of 128 B JSON each way on one stream, beside a call',
  async run(bench) {
    const { settings } = bench;
    const arena = await bench.arena();
    const count = settings.isQuick ? 200 : 1000;
    const measure = async (name: ContenderName): Promise<Measured> => {
      const { client } = await arena.pair(name);
      const { p50Ms: streamMs } = await client.request<{ p50Ms: number }>('pingPong', { count });
      const { p50Ms: unaryMs = Number.NaN } = await call(arena, name, {
        inFlight: 1,
        calls: count,
        hasLatencies: true,
      });
      return { streamMs, unaryMs, ratio: streamMs / unaryMs };
    };
    const names: readonly ContenderName[] = ['ts-micro', 'ts-micro-envelope'];
    const rounds = await runRounds({
      names: chosen(names, settings),
      rounds: settings.rounds,
      prepare: measure,
      measure,
      onRound: (round) => bench.progress(`ping-pong: round ${round} of ${settings.rounds}`),
    });
    return {
      tables: [
        {
          head: ['contender', 'stream, p50 ms', 'call, p50 ms', 'x the call'],
          rows: rounds.names.map((name) => [
            contenders[name].title,
            summaryText(rounds.summary(name, ({ streamMs }) => streamMs)),
            summaryText(rounds.summary(name, ({ unaryMs }) => unaryMs)),
            summaryText(rounds.summary(name, ({ ratio }) => ratio)),
          ]),
        },
      ],
      notes: leftOut(rounds.failures),
      outcomes: [
        judge(
          'a message each way on a stream, p50',
          rounds.summary('ts-micro', ({ ratio }) => ratio),
          { atMost: 1.05, unit: 'x p50 of a call' },
          rounds.failures.get('ts-micro'),
        ),
      ],
    };
  },
};
