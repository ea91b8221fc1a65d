import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamBroker } from '@ts-micro/broker-jetstream';
import { openLedger } from '../harness/ledger.ts';
import { onCommand, settingsOf, tell } from '../harness/subject.ts';

// A member of a durable queue: what it has handled is counted outside of it. A message that is no number kills it.
export interface DurableConsumerSettings {
  readonly servers: string;
  readonly handled: string;
  /** Where deaths are written down. */
  readonly deaths?: string | undefined;
  readonly concurrency: number;
  readonly prefetch?: number | undefined;
  readonly replicas?: number | undefined;
  /** How long a handler works. @default 0 */
  readonly ms?: number | undefined;
  readonly maxDeliveries?: number | undefined;
}
const {
  servers,
  concurrency,
  prefetch,
  replicas,
  ms = 0,
  maxDeliveries,
  ...files
} = settingsOf<DurableConsumerSettings>();
const handled = openLedger(files.handled);
const deaths = files.deaths === undefined ? undefined : openLedger(files.deaths);
const decoder = new TextDecoder();
let running = 0;
const broker = jetstreamBroker({ servers, prefetch, ackWaitMs: 2000, stream: { replicas } });
const handle = async (number: number) => {
  running++;
  if (ms > 0) await sleep(ms);
  running--;
  handled(number);
};
await broker.subscribe(
  'numbers',
  ({ message: { body } }) => {
    const number = Number(decoder.decode(body).trimEnd());
    if (Number.isInteger(number)) return ms === 0 ? handled(number) : handle(number);
    deaths?.(process.pid);
    process.kill(process.pid, 'SIGKILL');
    return undefined;
  },
  // What fails in an outage is tried again by itself.
  { queue: 'books', concurrency, onError: () => {}, redelivery: { maxDeliveries } },
);
onCommand({ facts: () => ({ running }) });
tell('ready');
