import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamBroker } from '@ts-micro/broker-jetstream';
import { MicroError } from '@ts-micro/core';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { settleBooks } from '../../harness/durable-books.ts';
import { Findings } from '../../harness/findings.ts';
import { Ledger } from '../../harness/ledger.ts';
import { Parts } from '../../harness/parts.ts';
import { StoredEvents } from '../../harness/stored-events.ts';
import { SubjectProcess } from '../../harness/subject-process.ts';
import { until } from '../../harness/until.ts';
import type { Row } from '../../row.ts';

export const storedDiskFull: Row = {
  id: 'stored-disk-full',
  fault: 'a server whose max_file_store of 8 MiB is full while the queue has no member',
  expected:
    'what does not fit is refused as unavailable; all that was acknowledged is handled, and there is room again',
  async run() {
    const findings = new Findings();
    await using parts = new Parts();
    const folder = mkdtempSync(join(tmpdir(), 'ts-micro-full-'));
    parts.use({ [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) });
    const config = `jetstream { store_dir: ${JSON.stringify(folder)}, max_file_store: 8MB }`;
    const server = parts.use(await startNatsServer({ config }));
    const handled = parts.use(new Ledger());
    // Only what every queue has handled makes room.
    const stream = { retention: 'interest', discard: 'new' } as const;
    const broker = parts.use(jetstreamBroker({ servers: server.address, stream }));
    const absent = await broker.subscribe('numbers', () => {}, { queue: 'books' });
    await absent.close();
    const events = new StoredEvents({ broker, count: 100_000, perSecond: 500, bytes: 20_000 });
    const running = events.run();
    await until(() => events.refused.length >= 100, 60_000);
    events.stop();
    await running;
    const isSaid = events.refused.every(({ error }) => MicroError.is(error, 'unavailable'));
    findings.must(isSaid && events.stored.size > 100, `full: ${events.refused[0]?.error}`);
    const settings = { servers: server.address, handled: handled.file, concurrency: 10, prefetch: 90 };
    parts.use(await SubjectProcess.start('durable-consumer', settings));
    await settleBooks(findings, events, handled, 60_000);
    const more = new StoredEvents({ broker, count: 50, perSecond: 500 });
    const roomMs = await until(
      () =>
        broker.publish('other', { headers: {}, body: new Uint8Array(20_000) }).then(
          () => true,
          () => false,
        ),
      30_000,
      100,
    );
    await more.run();
    findings.must(roomMs !== undefined && more.stored.size === 50, `there is room again after ${roomMs} ms`);
    return findings.outcome;
  },
};
