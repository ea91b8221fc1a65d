import { jetstreamBroker } from '@ts-micro/broker-jetstream';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { settleBooks } from '../../harness/durable-books.ts';
import { Findings } from '../../harness/findings.ts';
import { Ledger } from '../../harness/ledger.ts';
import { StoredEvents } from '../../harness/stored-events.ts';
import { SubjectProcess } from '../../harness/subject-process.ts';
import { until } from '../../harness/until.ts';
import type { Row } from '../../row.ts';

const maxDeliveries = 3;
const count = 200;

export const storedPoison: Row = {
  id: 'stored-poison',
  fault: `a message among ${count} that kills every process that handles it, ${maxDeliveries} deliveries at most`,
  expected: 'it goes to the dead-letter topic with its reason; every other message is handled, and none goes with it',
  async run() {
    const findings = new Findings();
    using handled = new Ledger();
    using deaths = new Ledger();
    await using server = await startNatsServer({ jetstream: true });
    await using broker = jetstreamBroker({ servers: server.address });
    const letters: string[] = [];
    let arrived: () => void = () => {};
    const letter = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await broker.subscribe('dead-letter.numbers', ({ message: { headers, body } }) => {
      letters.push(`${new TextDecoder().decode(body)}, ${headers['Dead-Letter-Reason']}`);
      arrived();
    });
    const settings = {
      servers: server.address,
      handled: handled.file,
      deaths: deaths.file,
      concurrency: 20,
      ms: 20,
      maxDeliveries,
    };
    let member = await SubjectProcess.start('durable-consumer', settings);
    const events = new StoredEvents({ broker, count, perSecond: 1000 });
    const running = events.run();
    await until(() => events.stored.size >= count / 2, 10_000);
    await broker.publish('numbers', { headers: {}, body: Buffer.from('poison') });
    await running;
    while (letters.length === 0 && deaths.numbers().length < 20) {
      await Promise.race([member.exited(), letter]);
      if (!member.hasExited) continue;
      // It may die of what it gets before it is ready.
      const next = await SubjectProcess.start('durable-consumer', settings).catch(() => undefined);
      if (next !== undefined) member = next;
    }
    await using _last = member;
    await settleBooks(findings, events, handled, 60_000);
    findings.must(
      letters.length === 1 && letters[0]?.startsWith('poison') === true,
      `dead letters: ${letters.join('; ')}`,
    );
    const died = deaths.numbers().length;
    findings.must(died <= maxDeliveries, `${died} processes died of it`);
    return findings.outcome;
  },
};
