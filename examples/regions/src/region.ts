import { natsBroker } from '@ts-micro/broker-nats';
import type { Registry } from '@ts-micro/core';
import { type NatsRegistryOptions, natsRegistry } from '@ts-micro/registry-nats';
import { type Client, createClient, createService } from '@ts-micro/service';
import { natsTransport } from '@ts-micro/transport-nats';

/** Where the services of a region are registered, and where they are looked for. */
export type Pool = Pick<NatsRegistryOptions, 'querySubjects' | 'watchSubjects'>;

/** The registry subjects of one region alone. */
export function poolOf(region: string): Pool {
  return { querySubjects: [`${region}.registry.query`], watchSubjects: [`${region}.registry.watch`] };
}

/** Two greeters and a client. */
export interface Region extends AsyncDisposable {
  readonly client: Client;
  readonly registry: Registry;
  /** What its greeters were told by events. */
  readonly heard: string[];
  /** Stops its greeters; the client stays. */
  stop(): Promise<void>;
}

/** Starts `NAME-1` and `NAME-2` on the region's NATS; as processes they would be given the same by flags. */
export async function openRegion(name: string, servers: string, pool: Pool = {}): Promise<Region> {
  const transport = natsTransport({ servers });
  const broker = natsBroker({ servers });
  const registry = natsRegistry({ servers, ...pool });
  const heard: string[] = [];
  const greeters = [1, 2].map((number) => {
    const greeter = createService({ name: 'greeter', id: `${name}-${number}`, transport, broker, registry });
    greeter.handle('Greeter.WhoAmI', () => ({ id: `${name}-${number}` }));
    greeter.subscribe('greeter.say', ({ text }: { text: string }) => void heard.push(text), { queue: 'greeter' });
    return greeter;
  });
  for (const greeter of greeters) await greeter.start();
  const client = createClient({ transport, broker, registry });
  const stop = async () => void (await Promise.all(greeters.map((greeter) => greeter.stop())));
  return {
    client,
    registry,
    heard,
    stop,
    async [Symbol.asyncDispose]() {
      await client.close();
      await stop();
      await Promise.all([transport.close(), broker.close(), registry.close()]);
    },
  };
}

/** Asks a hundred times who answers: `north-1 52, north-2 48`. */
export async function whoAnswers(client: Pick<Client, 'call'>): Promise<string> {
  const answers = new Map<string, number>();
  // An answer that was under way when a server died does not come any more; asking again does no harm.
  const options = { idempotent: true, attemptTimeoutMs: 1000 };
  const call = () => client.call<{ id: string }>('greeter', 'Greeter.WhoAmI', {}, options);
  // At once: where the own region has none, each lookup takes as long as the registry waits for answers.
  for (const { id } of await Promise.all(Array.from({ length: 100 }, call)))
    answers.set(id, (answers.get(id) ?? 0) + 1);
  return [...answers]
    .sort()
    .map(([id, count]) => `${id} ${count}`)
    .join(', ');
}

/** The greeters that a registry knows: `north-1, north-2`. */
export async function whoIsKnown(registry: Registry): Promise<string> {
  const records = await registry.getService('greeter');
  const ids = records.flatMap(({ nodes }) => nodes.map(({ id }) => id.replace('greeter-', '')));
  return ids.sort().join(', ');
}
