import { jetstreamBroker } from '@ts-micro/broker-jetstream';
import { connectNats, JetStreamApi } from '@ts-micro/nats';
import { startNatsCluster } from '@ts-micro/testkit/nats';
import { settleBooks } from '../../harness/durable-books.ts';
import { Findings } from '../../harness/findings.ts';
import { Ledger } from '../../harness/ledger.ts';
import { StoredEvents } from '../../harness/stored-events.ts';
import { SubjectProcess } from '../../harness/subject-process.ts';
import { until } from '../../harness/until.ts';
import type { Row } from '../../row.ts';

interface Placed {
  readonly cluster?: { readonly leader?: string; readonly replicas?: readonly { readonly current: boolean }[] };
}

export const storedLeaderChanges: Row = {
  id: 'stored-leader-changes',
  fault: 'a cluster of 3 with R3: the leader of the stream steps down, then the server of the leader is SIGKILLed',
  expected: 'every event acknowledged to its publisher is handled at least once; publishing goes on by itself',
  async run({ events: count = 6000 }) {
    const findings = new Findings();
    using handled = new Ledger();
    await using cluster = await startNatsCluster({ jetstream: true });
    await using connection = await connectNats({ servers: cluster.servers });
    const api = new JetStreamApi({ connection, what: 'chaos', timeoutMs: 2000 });
    const place = () => api.request<Placed>('STREAM.INFO.MICRO_EVENTS').catch((): Placed => ({}));
    // A cluster that has just started has no leader to ask yet.
    await until(async () => (await api.request('STREAM.NAMES', {}).catch(() => undefined)) !== undefined, 60_000, 100);
    const stream = { replicas: 3 };
    await using broker = jetstreamBroker({ servers: cluster.servers, stream });
    const settings = { servers: cluster.servers, handled: handled.file, concurrency: 50, prefetch: 450, replicas: 3 };
    await using _consumer = await SubjectProcess.start('durable-consumer', settings);
    const events = new StoredEvents({ broker, count, perSecond: 2000 });
    const running = events.run();
    await until(() => events.stored.size >= count / 4, 120_000);
    const first = (await place()).cluster?.leader;
    await api.request('STREAM.LEADER.STEPDOWN.MICRO_EVENTS');
    const steppedMs = await until(async () => {
      const { leader } = (await place()).cluster ?? {};
      return leader !== undefined && leader !== '' && leader !== first;
    }, 60_000);
    findings.must(steppedMs !== undefined, `another leader ${steppedMs} ms after the first stepped down`);
    await until(() => events.stored.size >= count / 2, 120_000);
    const second = (await place()).cluster?.leader;
    const node = cluster.nodes.find(({ port }) => second?.endsWith(String(port)));
    await node?.kill();
    const stored = events.stored.size;
    const goesOnMs = await until(() => events.stored.size > stored, 60_000);
    findings.must(
      node !== undefined && goesOnMs !== undefined,
      `events are stored again ${goesOnMs} ms after the server of the leader was killed`,
    );
    await until(() => events.stored.size >= (3 * count) / 4, 120_000);
    await node?.restart();
    findings.note(`${await running} stored a second`);
    await settleBooks(findings, events, handled, 120_000);
    api.close();
    return findings.outcome;
  },
};
