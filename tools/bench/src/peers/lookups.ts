import { connectNats, type NatsConnection } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { type Client, createClient } from '@ts-micro/service';
import { natsTransport } from '@ts-micro/transport-nats';
import { answerCommands } from '../harness/answer-commands.ts';
import { checkAnswer, type Sample, sample } from '../harness/report/sample.ts';
import { summarise } from '../harness/report/statistics.ts';

const callsOfBurst = 16;

/** The process that looks services up. Its connection is warm; what it looks them up with is fresh each time. */
let connection: NatsConnection | undefined;

/** A client and the times at which it had chosen a node, which it does once it has found the service. */
class TimedClient implements AsyncDisposable {
  readonly #registry = natsRegistry({ connection: connected() });
  readonly #transport = natsTransport({ connection: connected() });
  readonly #client: Client;
  readonly #name: string;
  #chosenAtMs = 0;
  #serial = 0;

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

  /** Calls for the first time and returns how long it took until a node was chosen. */
  async first(): Promise<number> {
    const beganAtMs = performance.now();
    await this.#call();
    return this.#chosenAtMs - beganAtMs;
  }

  /**
   * Makes some calls at once and returns how long each took until a node was chosen, which must be before `call`
   * returns.
   */
  async cached(calls: number): Promise<number[]> {
    const times: number[] = [];
    const replies: Promise<void>[] = [];
    for (let call = 0; call < calls; call++) {
      this.#chosenAtMs = Number.NaN;
      const beganAtMs = performance.now();
      replies.push(this.#call());
      times.push(this.#chosenAtMs - beganAtMs);
    }
    await Promise.all(replies);
    if (times.some(Number.isNaN)) throw new Error('a cached lookup did not answer at once');
    return times;
  }

  async #call(): Promise<void> {
    const request = sample(this.#serial++);
    checkAnswer(request, await this.#client.call<Sample>(this.#name, 'Bench.Echo', request));
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
  async viaClient({ name, bursts }: { name: string; bursts: number }) {
    await using client = new TimedClient(name);
    const firstMs = await client.first();
    const cached: number[] = [];
    for (let burst = 0; burst < bursts; burst++) cached.push(...(await client.cached(callsOfBurst)));
    return { firstMs, cachedMs: summarise(cached).median };
  },
  close: () => connection?.close(),
});

function connected(): NatsConnection {
  if (connection === undefined) throw new Error('not connected');
  return connection;
}
