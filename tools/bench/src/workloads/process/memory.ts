import { startNatsServer } from '@ts-micro/testkit/nats';
import { PeerProcess } from '../../harness/peer-process.ts';
import { numberText } from '../../harness/report/table.ts';
import { judgeNumber } from '../../harness/target.ts';
import type { Workload } from '../workload.ts';

interface Row {
  readonly what: string;
  readonly count: number;
  readonly bytes: number;
  /** The most that each may take, in KiB: about twice what it was when this was written. */
  readonly mostKib: number;
}

const kib = 1024;

/** What idle things keep in memory, each. `npm run check` holds them to their bounds. */
export const memory: Workload = {
  name: 'memory',
  title: 'Memory of what is idle',
  async run({ settings, progress }) {
    await using nats = await startNatsServer();
    await using listening = PeerProcess.ofNode('idle-things', 'the listening process', ['--expose-gc']);
    await using measured = PeerProcess.ofNode('idle-things', 'the measured process', ['--expose-gc']);
    await using others = PeerProcess.ofNode('services', 'the services');
    const { address } = nats;
    for (const peer of [listening, measured]) await peer.request('connect', { address });
    const few = settings.isQuick ? 10 : 50;
    const sockets = settings.isQuick ? 2_000 : 10_000;
    const names = Array.from({ length: settings.isQuick ? 100 : 1_000 }, (_, index) => `watched-${index}`);

    progress('memory: services and clients');
    const services = await measured.request<number>('services', { count: few });
    const clients = await measured.request<number>('clients', { count: few });
    progress('memory: sockets');
    const listener = await listening.request<string>('listen');
    const before = await listening.request<number>('memory');
    const dialled = await measured.request<number>('sockets', { address: listener, count: sockets });
    const accepted = ((await listening.request<number>('memory')) - before) / sockets;
    progress('memory: watched services');
    await others.request('serve', { address, names, isShared: true });
    const watched = await measured.request<number>('watched', { names });

    const rows: readonly Row[] = [
      { what: 'an idle service', count: few, bytes: services, mostKib: mostKib.service },
      { what: 'an idle client', count: few, bytes: clients, mostKib: mostKib.client },
      { what: 'an idle socket, dialling end', count: sockets, bytes: dialled, mostKib: mostKib.dialled },
      { what: 'an idle socket, listening end', count: sockets, bytes: accepted, mostKib: mostKib.accepted },
      { what: 'a watched service', count: names.length, bytes: watched, mostKib: mostKib.watched },
    ];
    return {
      tables: [
        {
          head: ['each', 'KiB', 'of so many'],
          rows: rows.map(({ what, count, bytes }) => [what, numberText(bytes / kib), count.toLocaleString('en')]),
        },
      ],
      outcomes: rows.map(({ what, bytes, mostKib: atMost }) =>
        judgeNumber(`memory of ${what}`, bytes / kib, { atMost, unit: 'KiB' }),
      ),
    };
  },
};

const mostKib = { service: 150, client: 150, dialled: 4, accepted: 10, watched: 40 };
