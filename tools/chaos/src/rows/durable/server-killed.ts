import { jetstreamBroker } from '@ts-micro/broker-jetstream';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { settleBooks } from '../../harness/durable-books.ts';
import { Findings } from '../../harness/findings.ts';
import { Ledger } from '../../harness/ledger.ts';
import { StoredEvents } from '../../harness/stored-events.ts';
import { SubjectProcess } from '../../harness/subject-process.ts';
import { until } from '../../harness/until.ts';
import type { Row } from '../../row.ts';

const kills = 3;

export const storedServerKilled: Row = {
  id: 'stored-server-killed',
  fault: `nats-server with file storage SIGKILLed ${kills} times under up to 10,000 stored events a second`,
  expected: 'every event acknowledged to its publisher is handled at least once; how many twice is counted',
  async run({ events: count = 20_000 }) {
    const findings = new Findings();
    using handled = new Ledger();
    await using server = await startNatsServer({ jetstream: true });
    const settings = { servers: server.address, handled: handled.file, concurrency: 100, prefetch: 900 };
    await using _consumer = await SubjectProcess.start('durable-consumer', settings);
    await using broker = jetstreamBroker({ servers: server.address });
    const events = new StoredEvents({ broker, count });
    const running = events.run();
    for (let kill = 1; kill <= kills; kill++) {
      await until(() => events.stored.size >= (kill * count) / (kills + 1), 600_000, 5);
      await server.kill();
      await server.restart();
    }
    findings.note(`${await running} stored a second, the outages included`);
    await settleBooks(findings, events, handled, 60_000 + count);
    return findings.outcome;
  },
};
