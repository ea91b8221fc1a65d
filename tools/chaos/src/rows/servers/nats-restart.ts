import { setTimeout as sleep } from 'node:timers/promises';
import { MicroError, type RegistryEvent } from '@ts-micro/core';
import type { NatsServer } from '@ts-micro/testkit/nats';
import { Findings } from '../../harness/findings.ts';
import { Ledger } from '../../harness/ledger.ts';
import { codesOf } from '../../harness/load.ts';
import { openServerStage, type ServerStage } from '../../harness/stage.ts';
import { until } from '../../harness/until.ts';
import type { Row } from '../../row.ts';

const callTimeoutMs = 3000;
const failFastMs = 300;
// Each makes one more when there is need: the wildcard by which it finds out diallers that have gone.
const nodes = 2;

function natsRestart(downMs: number): Row {
  return {
    id: `nats-restart-${downMs / 1000}s`,
    fault: `nats-server SIGKILLed under load, back after ${downMs / 1000} s`,
    expected:
      'calls in flight settle typed by their deadline; calls, lookups and events in the outage fail fast as unavailable; all is back within 1 s of the reconnect, watchers resync, no subscription is double',
    async run() {
      const findings = new Findings();
      using events = new Ledger();
      await using stage = await openServerStage({ nodes, events: events.file });
      const { server, client, plugins } = stage;
      const seen: { event: RegistryEvent; at: number }[] = [];
      await using watcher = await plugins.registry.watch();
      const watching = (async () => {
        for await (const event of watcher) seen.push({ event, at: Date.now() });
      })();
      await warmUp(stage);
      const before = await subscriptionsOf(server);

      const inFlight = Array.from({ length: 16 }, (_, number) =>
        settle(client.call('chaos', 'Chaos.Work', { number, ms: 60_000 }, { timeoutMs: callTimeoutMs })),
      );
      await until(() => stage.executions.counts().size >= 16, 2000);
      await server.kill();
      const downAtMs = performance.now();
      await until(() => plugins.connection.state.status === 'reconnecting', 2000);

      const refused = await Promise.all([
        ...Array.from({ length: 10 }, () => settle(client.call('chaos', 'Chaos.Quick', {}, { retries: 0 }))),
        ...Array.from({ length: 5 }, () => settle(plugins.registry.getService('chaos'))),
        ...Array.from({ length: 5 }, () => settle(client.publish('chaos.event', { number: 1 }))),
      ]);
      const slowest = Math.round(Math.max(...refused.map(({ tookMs }) => tookMs)));
      findings.must(
        refused.every(({ error }) => MicroError.is(error, 'unavailable')) && slowest < failFastMs,
        `20 calls, lookups and events in the outage: ${codesOf(refused)}, the slowest after ${slowest} ms`,
      );
      if (downMs >= 5000) {
        const retried = await settle(client.call('chaos', 'Chaos.Quick', {}));
        findings.must(
          MicroError.is(retried.error, 'unavailable') && retried.tookMs < 2000,
          `with 3 retries ${codesOf([retried])} after ${Math.round(retried.tookMs)} ms`,
        );
      }
      await sleep(Math.max(0, downMs - (performance.now() - downAtMs)));
      const resyncs = seen.filter(({ event }) => event.type === 'resync').length;
      await server.restart();
      const reconnectedAt = await allConnected(stage);

      const back = (await until(async () => isServed(stage), 10_000, 5)) !== undefined;
      const callsMs = Date.now() - reconnectedAt;
      const lookupBack = await until(async () => (await nodeCount(stage)) === 2, 10_000, 5);
      const lookupMs = Date.now() - reconnectedAt;
      const number = 4242;
      const eventBack = await until(
        async () => {
          await client.publish('chaos.event', { number }).catch(() => {});
          return events.counts().has(number);
        },
        5000,
        20,
      );
      const eventMs = Date.now() - reconnectedAt;
      await until(() => seen.filter(({ event }) => event.type === 'resync').length > resyncs, 5000);
      const resync = seen.filter(({ event }) => event.type === 'resync')[resyncs];
      const resyncMs = resync === undefined ? Number.POSITIVE_INFINITY : Math.max(0, resync.at - reconnectedAt);
      const slowestBack = Math.max(callsMs, lookupMs, eventMs, resyncMs);
      findings.must(
        back && lookupBack !== undefined && eventBack !== undefined && slowestBack <= 1000,
        `after the last reconnect: calls ${callsMs} ms, lookups ${lookupMs} ms, events ${eventMs} ms, resync ${resyncMs} ms`,
      );

      const settled = await Promise.all(inFlight);
      const longest = Math.round(Math.max(...settled.map(({ tookMs }) => tookMs)));
      const lying = settled.filter(({ error }) => MicroError.is(error) && error.retrySafe).length;
      findings.must(
        settled.every(({ error }) => MicroError.is(error)) && longest <= callTimeoutMs + failFastMs && lying === 0,
        `16 calls in flight: ${codesOf(settled)}, the last after ${longest} ms of ${callTimeoutMs}, ${lying} called safe to retry`,
      );

      const burst = 200;
      for (let index = 0; index < burst; index++) await client.publish('chaos.event', { number: 10_000 + index });
      await until(() => [...events.counts().keys()].filter((key) => key >= 10_000).length === burst, 5000);
      await sleep(200);
      const counts = [...events.counts()].filter(([key]) => key >= 10_000);
      const doubles = counts.filter(([, count]) => count > 1).length;
      findings.must(counts.length === burst && doubles === 0, `${counts.length} of ${burst} events, ${doubles} twice`);
      const after = await subscriptionsOf(server);
      const isKept = before.every((each) => after.includes(each)) && new Set(after).size === after.length;
      findings.must(
        isKept && after.length <= before.length + nodes,
        `subscriptions ${before.length} before, ${after.length} after`,
      );
      await watcher.close();
      await watching;
      return findings.outcome;
    },
  };
}

/** Every subscription, with the name of its connection. */
async function subscriptionsOf(server: NatsServer): Promise<string[]> {
  const { connections } = (await server.monitor('connz?subs=1')) as {
    connections: { name: string; subscriptions_list?: string[] }[];
  };
  return connections.flatMap(({ name, subscriptions_list: subjects = [] }) =>
    subjects.map((each) => `${name} ${each}`),
  );
}

/** Every lazy subscription is made before it is counted. */
async function warmUp(stage: ServerStage): Promise<void> {
  for (let index = 0; index < 50; index++) await stage.client.call('chaos', 'Chaos.Quick', {});
  await stage.plugins.registry.getService('chaos');
  await stage.client.publish('chaos.event', { number: 0 });
  await stage.plugins.connection.flush();
}

/** When the last of all processes was connected again, by the wall clock. */
async function allConnected({ plugins, fleet }: ServerStage): Promise<number> {
  await plugins.connection.ready({ signal: AbortSignal.timeout(20_000) });
  let latest = Date.now();
  for (const node of fleet.nodes) {
    await until(() => node.last('state')?.status === 'connected', 20_000, 5);
    latest = Math.max(latest, node.last('state')?.at ?? 0);
  }
  return latest;
}

async function isServed({ client }: ServerStage): Promise<boolean> {
  try {
    await client.call('chaos', 'Chaos.Quick', {}, { timeoutMs: 500, retries: 0 });
    return true;
  } catch {
    return false;
  }
}

async function nodeCount({ plugins }: ServerStage): Promise<number> {
  const records = await plugins.registry.getService('chaos').catch(() => []);
  return records.reduce((sum, { nodes }) => sum + nodes.length, 0);
}

async function settle(promise: Promise<unknown>): Promise<{ error: unknown; tookMs: number }> {
  const beganMs = performance.now();
  try {
    await promise;
    return { error: new Error('it succeeded'), tookMs: performance.now() - beganMs };
  } catch (error) {
    return { error, tookMs: performance.now() - beganMs };
  }
}

export const natsRestarts: readonly Row[] = [500, 5000, 30_000].map(natsRestart);
