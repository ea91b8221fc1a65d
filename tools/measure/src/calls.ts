import { memoryBroker, memoryNetwork, memoryRegistry } from '@ts-micro/memory';
import { createClient, createService } from '@ts-micro/service';
import { natsTransport } from '@ts-micro/transport-nats';
import { rabbitmqTransport } from '@ts-micro/transport-rabbitmq';
import { type Figure, median } from './figure.ts';

const forMs = 2500;
const atOnce = 32;

/** How many calls a second a transport carries, and how long one takes alone. */
export async function callsOver(servers: string, name: string): Promise<readonly Figure[]> {
  const make = () => (name === 'nats' ? natsTransport({ servers }) : rabbitmqTransport({ servers }));
  const network = memoryNetwork();
  await using serving = make();
  await using calling = make();
  const registry = memoryRegistry({ network });
  const broker = memoryBroker({ network });
  const service = createService({ name: 'echo', registry, broker, transport: serving });
  service.handle('Echo.Call', (request: unknown) => request);
  await service.start();
  const client = createClient({ registry, broker, transport: calling });
  try {
    const call = () => client.call('echo', 'Echo.Call', { text: 'hello' });
    const alone: number[] = [];
    for (const end = performance.now() + forMs; performance.now() < end; ) {
      const started = performance.now();
      await call();
      alone.push(performance.now() - started);
    }
    let calls = 0;
    const started = performance.now();
    const worker = async () => {
      for (; performance.now() - started < forMs; calls++) await call();
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    const seconds = (performance.now() - started) / 1000;
    return [
      { what: `calls, ${atOnce} at once`, value: calls / seconds, unit: '/s' },
      { what: 'a call alone', value: median(alone), unit: 'ms' },
    ];
  } finally {
    await client.close();
    await service.stop();
  }
}
