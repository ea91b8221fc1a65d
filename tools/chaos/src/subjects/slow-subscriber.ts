import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '@ts-micro/core';
import { connectPlugins } from '../harness/plugins.ts';
import { onCommand, settingsOf, tell } from '../harness/subject.ts';

// Handles one event at a time, slowly, and keeps count of those it had to drop.
const { servers, topic } = settingsOf<{ servers: string; topic: string }>();
let handled = 0;
let dropped = 0;
let reports = 0;
let highest = 0;
const logger = {
  ...silentLogger,
  warn(message: string, fields?: Readonly<Record<string, unknown>>) {
    if (message === 'messages dropped') dropped += Number(fields?.dropped);
  },
};
const { broker } = await connectPlugins(servers, 'slow', { logger, maxPendingMessages: 1000 });
const handler = async () => {
  await sleep(1);
  handled++;
};
await broker.subscribe(topic, handler, { onError: () => void reports++ });
setInterval(() => {
  highest = Math.max(highest, process.memoryUsage().rss);
}, 50);
onCommand({ facts: () => ({ handled, dropped, reports, highest, memory: process.memoryUsage() }) });
tell('ready');
