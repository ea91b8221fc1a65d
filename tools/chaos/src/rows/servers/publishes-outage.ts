import { setTimeout as sleep } from 'node:timers/promises';
import { natsBroker, type OutagePolicy } from '@ts-micro/broker-nats';
import { MicroError } from '@ts-micro/core';
import { startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { Findings } from '../../harness/findings.ts';
import { codesOf } from '../../harness/load.ts';
import { until } from '../../harness/until.ts';
import type { Row } from '../../row.ts';

const outages = 5;

function publishesOutage(outage: OutagePolicy): Row {
  return {
    id: `publishes-${outage}`,
    fault: `the link cut ${outages} times under a stream of events, policy ${outage}`,
    expected:
      'published = refused + confirmed + uncertain; every confirmed event arrives, in order, nothing twice; uncertain ones are reported, and not sent again',
    async run() {
      const findings = new Findings();
      await using server = await startNatsServer();
      await using proxy = await startChaosProxy({ target: server.address });
      await using subscriber = natsBroker({ servers: server.address });
      const arrived: number[] = [];
      await subscriber.subscribe(
        'numbers',
        ({ message }) => void arrived.push(Number(new TextDecoder().decode(message.body))),
      );
      let reported = 0;
      const onUncertain = (count: number) => {
        reported += count;
      };
      await using publisher = natsBroker({ servers: proxy.address, outage, onUncertain, maxBufferedBytes: 2 ** 26 });
      await publisher.connect();
      const refused: { error: unknown }[] = [];
      let next = 0;
      let isOver = false;
      const publishing = (async () => {
        const all: Promise<void>[] = [];
        while (!isOver) {
          for (let burst = 0; burst < 20; burst++) {
            const body = new TextEncoder().encode(String(next++));
            all.push(
              publisher.publish('numbers', { headers: {}, body }).catch((error) => void refused.push({ error })),
            );
          }
          await sleep(1);
        }
        await Promise.all(all);
      })();
      for (let round = 0; round < outages; round++) {
        await sleep(400);
        proxy.cut();
        await sleep(400);
        proxy.heal();
        await until(() => proxy.links > 0, 5000);
        await sleep(800);
      }
      isOver = true;
      await publishing;
      await until(() => publisher.stats.open === 0, 10_000);
      const { stats } = publisher;
      await until(() => arrived.length >= stats.confirmed, 5000);
      await sleep(200);
      const figures = `${stats.published} published = ${stats.refused} refused + ${stats.confirmed} confirmed + ${stats.uncertain} uncertain`;
      const isBalanced = stats.open === 0 && stats.published === stats.refused + stats.confirmed + stats.uncertain;
      findings.must(isBalanced && stats.published === next, figures);
      findings.must(
        refused.length === stats.refused && refused.every(({ error }) => MicroError.is(error, 'unavailable')),
        `refused: ${codesOf(refused)}`,
      );
      if (outage === 'buffer') findings.must(stats.refused === 0, 'none refused where they are kept');
      findings.must(
        arrived.length >= stats.confirmed && arrived.length <= stats.confirmed + stats.uncertain,
        `${arrived.length} arrived`,
      );
      const isOrdered = arrived.every((number, index) => index === 0 || number > (arrived[index - 1] as number));
      findings.must(isOrdered, 'in order, none twice');
      findings.must(reported === stats.uncertain, `${reported} reported as uncertain`);
      return findings.outcome;
    },
  };
}

export const publishesOutages: readonly Row[] = [publishesOutage('refuse'), publishesOutage('buffer')];
