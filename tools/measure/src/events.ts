import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { kafkaBroker } from '@ts-micro/broker-kafka';
import { natsBroker } from '@ts-micro/broker-nats';
import { type Figure, median } from './figure.ts';

const burst = 10_000;
const atOnce = 500;
const single = 100;
const body = new Uint8Array(100);

/** How many events a second a broker carries, how long one takes alone, and how soon a subscriber is there. */
export async function eventsOver(servers: string, name: string): Promise<readonly Figure[]> {
  const make = () => (name === 'nats' ? natsBroker({ servers }) : kafkaBroker({ servers }));
  await using publishing = make();
  await using subscribing = make();
  const topic = `measure.${randomUUID()}`;
  const arrivals = new EventTarget();
  let arrived = 0;
  await publishing.publish(topic, { headers: {}, body });
  const subscribed = performance.now();
  await subscribing.subscribe(topic, () => {
    arrived++;
    arrivals.dispatchEvent(new Event('arrival'));
  });
  const subscribeMs = performance.now() - subscribed;
  const all = async (count: number) => {
    while (arrived < count) await once(arrivals, 'arrival');
  };

  const alone: number[] = [];
  for (let sent = 1; sent <= single; sent++) {
    const started = performance.now();
    await publishing.publish(topic, { headers: {}, body });
    await all(sent);
    alone.push(performance.now() - started);
  }

  const started = performance.now();
  let sent = 0;
  const worker = async () => {
    for (; sent < burst; ) {
      sent++;
      await publishing.publish(topic, { headers: {}, body });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  await all(single + burst);
  const seconds = (performance.now() - started) / 1000;
  return [
    { what: `events of 100 bytes, ${atOnce} at once, published and handled`, value: burst / seconds, unit: '/s' },
    { what: 'an event alone, from `publish` to the handler', value: median(alone), unit: 'ms' },
    { what: '`subscribe`', value: subscribeMs, unit: 'ms' },
  ];
}
