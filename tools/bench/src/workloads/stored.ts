import { startNatsServer } from '@ts-micro/testkit/nats';
import { PeerProcess } from '../harness/peer-process.ts';
import { medianText, summaryText } from '../harness/report/table.ts';
import { type Rounds, runRounds } from '../harness/rounds.ts';
import { judge } from '../harness/target.ts';
import type { StoredFigure, StoringContender } from '../peers/stored-events.ts';
import type { Workload } from './workload.ts';

interface Stored {
  readonly publish: StoredFigure;
  readonly consume: StoredFigure;
}

const names: readonly StoringContender[] = ['raw', 'ts-micro'];
const titles: Readonly<Record<StoringContender, string>> = {
  raw: 'raw nats.js JetStream',
  'ts-micro': 'ts-micro broker-jetstream',
};

const published = ({ publish }: Stored): number => publish.perSecond;
const consumed = ({ consume }: Stored): number => consume.perSecond;

/** From the first publish to the last acknowledgement; then from the pull to the last message handled. */
export const stored: Workload = {
  name: 'stored',
  title: 'Storing 128 B JSON in a stream with files, 500 publishes at once, and taking it from a durable pull consumer',
  async run(bench) {
    const { settings } = bench;
    const count = settings.messages;
    await using nats = await startNatsServer({ jetstream: true });
    await using raw = PeerProcess.ofNode('stored-events', titles.raw, []);
    await using own = PeerProcess.ofNode('stored-events', titles['ts-micro'], []);
    const peers: Readonly<Record<StoringContender, PeerProcess>> = { raw, 'ts-micro': own };
    for (const name of names) await peers[name].request('open', { address: nats.address, name });
    const measure = async (name: StoringContender): Promise<Stored> => ({
      publish: await peers[name].request<StoredFigure>('publish', { count }),
      consume: await peers[name].request<StoredFigure>('consume', { count }),
    });
    const rounds = await runRounds({
      names,
      rounds: settings.rounds,
      prepare: measure,
      measure,
      onRound: (round) => bench.progress(`stored: round ${round} of ${settings.rounds}`),
    });
    const why = rounds.failures.get('ts-micro') ?? rounds.failures.get('raw');
    const ratio = (figure: (measurement: Stored) => number) => rounds.ratio('ts-micro', 'raw', figure);
    return {
      tables: [
        {
          head: ['contender', 'stored/s', 'x raw', 'CPU us', 'consumed/s', 'x raw', 'CPU us'],
          rows: names.map((name) => rowOf(rounds, name)),
        },
      ],
      outcomes: [
        judge('stored publish, acknowledged', ratio(published), { atLeast: 0.9, unit: 'x raw' }, why),
        judge('consume of a durable queue, acknowledged', ratio(consumed), { atLeast: 0.8, unit: 'x raw' }, why),
      ],
    };
  },
};

function rowOf(rounds: Rounds<StoringContender, Stored>, name: StoringContender): readonly string[] {
  return [
    titles[name],
    medianText(rounds.summary(name, published)),
    summaryText(rounds.ratio(name, 'raw', published)),
    medianText(rounds.summary(name, ({ publish }) => publish.cpuUs)),
    medianText(rounds.summary(name, consumed)),
    summaryText(rounds.ratio(name, 'raw', consumed)),
    medianText(rounds.summary(name, ({ consume }) => consume.cpuUs)),
  ];
}
