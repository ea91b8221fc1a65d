import { type NatsServer, startNatsServer } from '@ts-micro/testkit/nats';
import type { CallResult } from '../harness/caller.ts';
import { PeerProcess } from '../harness/peer-process.ts';
import { judgeNumber } from '../harness/target.ts';
import type { Workload } from './workload.ts';

const inFlight = 50;
const names = Array.from({ length: 50 }, (_, index) => `economy-${index}`);

interface Connection {
  readonly cid: number;
  readonly subscriptions: number;
  /** The highest subscription id is how many it has ever made. */
  readonly subscriptions_list_detail?: readonly { readonly sid: string }[];
}

/** What one client costs the server, by the server's own count. */
export const economy: Workload = {
  name: 'economy',
  title: `One client calling ${names.length} services with ${inFlight} calls in flight`,
  async run(bench) {
    await using nats = await startNatsServer();
    await using services = PeerProcess.ofNode('services', 'the services');
    await services.request('serve', { address: nats.address, names, isShared: true });
    const others = new Set((await connectionsOf(nats)).map(({ cid }) => cid));

    await using client = PeerProcess.ofNode('many-calls', 'the client');
    await client.request('connect', { address: nats.address });
    bench.progress('economy: calling');
    const plan = { names, inFlight, calls: bench.settings.isQuick ? 5_000 : 50_000 };
    let isOver = false;
    const calling = client.request<CallResult>('calls', plan).finally(() => {
      isOver = true;
    });
    let most: readonly Connection[] = [];
    let looks = 0;
    while (!isOver || looks === 0) {
      const own = (await connectionsOf(nats)).filter(({ cid }) => !others.has(cid));
      looks++;
      if (subscriptionsOf(own) >= subscriptionsOf(most)) most = own;
    }
    const { calls, elapsedMs } = await calling;
    const made = Math.max(
      ...most.flatMap(({ subscriptions_list_detail: list = [] }) => list.map(({ sid }) => Number(sid))),
    );
    return {
      tables: [
        {
          head: ['calls', 'calls/s', 'connections', 'subscriptions', 'subscriptions ever made'],
          rows: [
            [
              calls.toLocaleString('en'),
              Math.round((calls / elapsedMs) * 1000).toLocaleString('en'),
              String(most.length),
              String(subscriptionsOf(most)),
              String(made),
            ],
          ],
        },
      ],
      outcomes: [
        judgeNumber('one client, 50 services, 50 in flight: connections', most.length, { atMost: 1 }),
        judgeNumber('one client, 50 services, 50 in flight: subscriptions', subscriptionsOf(most), { atMost: 6 }),
      ],
      notes: [`the most that ${looks} looks at the server's monitoring saw while the calls were under way`],
    };
  },
};

async function connectionsOf(nats: NatsServer): Promise<readonly Connection[]> {
  const { connections } = (await nats.monitor('connz?subs=detail&limit=1024')) as { connections: Connection[] };
  return connections;
}

function subscriptionsOf(connections: readonly Connection[]): number {
  return connections.reduce((sum, { subscriptions }) => sum + subscriptions, 0);
}
