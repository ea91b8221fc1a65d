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
const inFlight = 100;

export const storedConsumerKilled: Row = {
  id: 'stored-consumer-killed',
  fault: `a member of a durable queue SIGKILLed ${kills} times with ${inFlight} handlers running`,
  expected: 'every event acknowledged to its publisher is handled at least once, what was in hand within ackWaitMs',
  async run({ events: count = 3000 }) {
    const findings = new Findings();
    using handled = new Ledger();
    await using server = await startNatsServer({ jetstream: true });
    const settings = { servers: server.address, handled: handled.file, concurrency: inFlight, ms: 50 };
    await using first = await SubjectProcess.start('durable-consumer', settings);
    await using broker = jetstreamBroker({ servers: server.address });
    const events = new StoredEvents({ broker, count });
    const running = events.run();
    let member = first;
    for (let kill = 1; kill <= kills; kill++) {
      const full = await until(async () => (await member.ask('facts')).running === inFlight, 30_000, 1);
      findings.must(full !== undefined, `kill ${kill} with ${inFlight} in flight`);
      await member.kill();
      member = await SubjectProcess.start('durable-consumer', settings);
    }
    await using _last = member;
    findings.note(`${await running} stored a second`);
    await settleBooks(findings, events, handled, 120_000);
    return findings.outcome;
  },
};
