import { connectNats, type NatsConnection } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { type Client, createClient } from '@ts-micro/service';
import { natsTransport } from '@ts-micro/transport-nats';
import { answerCommands } from '../harness/answer-commands.ts';
import { checkAnswer, type Sample, sample } from '../harness/sample.ts';

/** The process that looks services up. Its connection is warm; what it looks them up with is fresh each time. */
let connection: NatsConnection | undefined;

/** A client and the times at which it had chosen a node, which it does once it has found the service. */
class TimedClient implements AsyncDisposable {
  readonly #registry = natsRegistry({ connection: connected() });
  readonly #transport = natsTransport({ connection: connected() });
  readonly #client: Client;
  readonly #name: string;
  #chosenAtMs = 0;

  constructor(name: string) {
    this.#name = name;
    this.#client = createClient({
      transport: this.#transport,
      registry: this.#registry,
      selector: (candidates) => {
        this.#chosenAtMs = performance.now();
        return candidates[0] as (typeof candidates)[number];
      },
    });
  }

  /** Calls once and returns how long it took until a node was chosen. */
  async lookup(serial: number): Promise<number> {
    const request = sample(serial);
    const beganAtMs = performance.now();
    const call = this.#client.call<Sample>(this.#name, 'Bench.Echo', request);
    const reply = await call;
    checkAnswer(request, reply);
    return this.#chosenAtMs - beganAtMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    await this.#transport.close();
    await this.#registry.close();
  }
}

answerCommands({
  async connect({ address }: { address: string }) {
    connection = await connectNats({ servers: address });
  },
  /** Asks a fresh registry for everything and sees that it is complete. */
  async complete({ name, instances }: { name: string; instances: number }) {
    await using registry = natsRegistry({ connection: connected() });
    const beganAtMs = performance.now();
    const records = await registry.getService(name);
    const elapsedMs = performance.now() - beganAtMs;
    const nodes = records.flatMap((record) => record.nodes).length;
    if (nodes !== instances) throw new Error(`found ${nodes} of ${instances} nodes of ${name}`);
    return elapsedMs;
  },
  /** How long a fresh client's first call takes to know where to go, and how long later ones do: the median. */
  async viaClient({ name, calls }: { name: string; calls: number }) {
    await using client = new TimedClient(name);
    const first = await client.lookup(0);
    const later: number[] = [];
    for (let serial = 1; serial <= calls; serial++) later.push(await client.lookup(serial));
    later.sort((one, other) => one - other);
    return { firstMs: first, cachedMs: later[Math.floor(calls / 2)] };
  },
  close: () => connection?.close(),
});

function connected(): NatsConnection {
  if (connection === undefined) throw new Error('not connected');
  return connection;
}
