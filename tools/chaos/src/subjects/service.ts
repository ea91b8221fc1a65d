import { setTimeout as sleep } from 'node:timers/promises';
import { createService } from '@ts-micro/service';
import { openLedger } from '../harness/ledger.ts';
import { connectPlugins } from '../harness/plugins.ts';
import type { ServiceSettings } from '../harness/service-settings.ts';
import { onCommand, settingsOf, tell } from '../harness/subject.ts';

// A service whose every execution is counted outside of it.
const settings = settingsOf<ServiceSettings>();
const executed = openLedger(settings.executions);
const heard = settings.events === undefined ? undefined : openLedger(settings.events);
const fail = (): never => {
  throw new Error('the logger has failed');
};
const logger = settings.throwsInLogger ? { debug: fail, info: fail, warn: fail, error: fail } : undefined;
const plugins = await connectPlugins(settings.servers, settings.id, { ...settings, logger });
plugins.connection.onStateChange(({ status, server }) => tell('state', { status, server }));
const service = createService({
  name: 'chaos',
  version: '1.0.0',
  id: settings.id,
  transport: plugins.transport,
  broker: plugins.broker,
  registry: plugins.registry,
  logger,
  registerTtlMs: settings.leaseMs ?? 90_000,
  registerIntervalMs: (settings.leaseMs ?? 90_000) / 3,
  maxConcurrency: settings.maxConcurrency,
  maxBacklog: settings.maxBacklog,
  maxConcurrentBytes: settings.boundBytes,
  maxBacklogBytes: settings.boundBytes,
  maxUnreadBytes: settings.boundBytes,
});
let openStreams = 0;
let answered = 0;

service.handle('Chaos.Work', async ({ number, ms }: { number: number; ms: number }) => {
  executed(number);
  if (ms > 0) await sleep(ms);
  answered++;
  return { number, node: settings.id };
});

service.handle('Chaos.Quick', (request: unknown) => request);

service.handle('Chaos.Fail', ({ number }: { number: number }) => {
  executed(number);
  throw new Error('it fails');
});

service.handle('Chaos.Block', ({ ms }: { ms: number }) => {
  tell('blocked');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  tell('unblocked');
  return {};
});

service.handleStream('Chaos.Tick', async (stream, { signal }) => {
  openStreams++;
  try {
    for (let tick = 0; ; tick++) {
      await stream.send({ tick });
      await sleep(100, undefined, { signal });
    }
  } finally {
    openStreams--;
  }
});

service.handleStream('Chaos.Flood', async (stream, { signal }) => {
  openStreams++;
  try {
    while (!signal.aborted) await stream.send({ text: 'x'.repeat(1000) });
  } finally {
    openStreams--;
  }
});

service.handleStream('Chaos.Echo', async (stream) => {
  for await (const value of stream) await stream.send(value);
});

service.handleStream('Chaos.Listen', async (stream) => {
  openStreams++;
  try {
    for await (const _ of stream);
  } finally {
    openStreams--;
  }
});

const untilTold = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

service.handle('Chaos.Stuck', async (_request: unknown, { signal }) => {
  await untilTold(signal);
  return {};
});

service.handleStream('Chaos.Deaf', (_stream, { signal }) => untilTold(signal));

service.subscribe('chaos.slow', () => sleep(1000));

service.subscribe('chaos.event', ({ number }: { number: number }) => heard?.(number), { queue: 'chaos' });

onCommand({
  facts: () => {
    globalThis.gc?.();
    return { openStreams, answered, health: service.health(), memory: process.memoryUsage() };
  },
});
process.on('SIGTERM', async () => {
  const { abandoned } = await service.stop();
  await plugins[Symbol.asyncDispose]();
  tell('stopped', { abandoned, answered });
  process.disconnect();
});
await service.start();
tell('ready', { node: service.node });
