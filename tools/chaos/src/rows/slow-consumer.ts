import { startNatsServer } from '@ts-micro/testkit/nats';
import { Findings } from '../harness/findings.ts';
import { mib } from '../harness/memory.ts';
import { connectPlugins } from '../harness/plugins.ts';
import { SubjectProcess } from '../harness/subject-process.ts';
import { until } from '../harness/until.ts';
import type { Row } from '../row.ts';

const events = 100_000;

export const slowConsumer: Row = {
  id: 'slow-consumer',
  fault: `a burst of ${events} events at a subscriber that takes 1 ms for each and keeps 1000`,
  expected: 'memory bounded on both sides; what is dropped is counted and reported: handled + dropped = sent',
  async run() {
    const findings = new Findings();
    await using server = await startNatsServer();
    await using subject = await SubjectProcess.start('slow-subscriber', { servers: server.address, topic: 'burst' });
    await using plugins = await connectPlugins(server.address, 'burst');
    const before = (await subject.ask('facts')).memory as NodeJS.MemoryUsage;
    const rssBefore = process.memoryUsage().rss;
    const body = new Uint8Array(200);
    const beganMs = performance.now();
    let highest = 0;
    for (let count = 0; count < events; count++) {
      await plugins.broker.publish('burst', { headers: {}, body });
      if (count % 1000 === 0) highest = Math.max(highest, process.memoryUsage().rss);
    }
    await plugins.connection.flush();
    const seconds = (performance.now() - beganMs) / 1000;
    const sum = async () => {
      const { handled, dropped } = await subject.ask('facts');
      return (handled as number) + (dropped as number);
    };
    await until(async () => (await sum()) >= events, 20_000, 100);
    const facts = await subject.ask('facts');
    const [handled, dropped] = [facts.handled as number, facts.dropped as number];
    findings.must(handled + dropped === events, `${handled} handled + ${dropped} dropped = ${handled + dropped}`);
    findings.must((facts.reports as number) > 0, `${facts.reports} reports`);
    const growth = mib((facts.highest as number) - before.rss);
    findings.must(growth < 150, `the subscriber grew by ${growth} MiB at most`);
    const publisherGrowth = mib(highest - rssBefore);
    findings.must(
      publisherGrowth < 150,
      `the publisher by ${publisherGrowth} MiB, at ${Math.round(events / seconds)} events/s`,
    );
    findings.must(plugins.connection.state.reconnects === 0, 'nobody was cut off');
    return findings.outcome;
  },
};
